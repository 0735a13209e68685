package sbom

import (
	"bytes"
	"fmt"
	"time"

	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"

	"github.com/opencontainers/go-digest"
)

// An Image is what a document is about: one platform of an image.
type Image struct {
	Name     string
	Platform string
	Manifest digest.Digest
}

// namespace begins the names of documents; the manifest's digest ends them.
const namespace = "https://github.com/flotobuild/flotobuild/sbom/"

// notKnown is SPDX's word for what nobody claims.
const notKnown = "NOASSERTION"

// SPDX gives the packages of an image as a document of SPDX 2.3 in JSON. Equal
// inputs give equal bytes.
func SPDX(i Image, packages []Package, tool string, created time.Time) ([]byte, error) {
	const root = common.ElementID("Image")
	doc := &spdx.Document{
		SPDXVersion:       spdx.Version,
		DataLicense:       spdx.DataLicense,
		SPDXIdentifier:    "DOCUMENT",
		DocumentName:      i.Name,
		DocumentNamespace: namespace + i.Manifest.String(),
		CreationInfo: &spdx.CreationInfo{
			Creators: []common.Creator{{CreatorType: "Tool", Creator: tool}},
			Created:  created.UTC().Format(time.RFC3339),
		},
		Packages: []*spdx.Package{{
			PackageName:             i.Name,
			PackageSPDXIdentifier:   root,
			PackageVersion:          i.Manifest.String(),
			PackageDownloadLocation: notKnown,
			PackageComment:          "Image for " + i.Platform,
			PackageChecksums:        []common.Checksum{{Algorithm: common.SHA256, Value: i.Manifest.Encoded()}},
			PrimaryPackagePurpose:   "CONTAINER",
		}},
		Relationships: []*spdx.Relationship{relation("DOCUMENT", "DESCRIBES", root)},
	}
	for n, p := range packages {
		id := common.ElementID(fmt.Sprintf("Package-%d", n+1))
		doc.Packages = append(doc.Packages, p.spdx(id))
		doc.Relationships = append(doc.Relationships, relation(root, "CONTAINS", id))
	}
	var b bytes.Buffer
	if err := spdxjson.Write(doc, &b, spdxjson.Indent("  "), spdxjson.EscapeHTML(false)); err != nil {
		return nil, fmt.Errorf("cannot write list of packages: %w", err)
	}
	return b.Bytes(), nil
}

func (p Package) spdx(id common.ElementID) *spdx.Package {
	out := &spdx.Package{
		PackageName:             p.Name,
		PackageSPDXIdentifier:   id,
		PackageVersion:          p.Version,
		PackageDownloadLocation: notKnown,
	}
	if p.PURL != "" {
		out.PackageExternalReferences = []*spdx.PackageExternalReference{{
			Category: common.CategoryPackageManager, RefType: common.TypePackageManagerPURL, Locator: p.PURL,
		}}
	}
	return out
}

func relation(a common.ElementID, kind string, b common.ElementID) *spdx.Relationship {
	return &spdx.Relationship{
		RefA: common.MakeDocElementID("", string(a)), RefB: common.MakeDocElementID("", string(b)), Relationship: kind,
	}
}
