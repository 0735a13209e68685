package lang

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
)

// ManifestVersion is the newest version of manifest.json that this package
// reads, and the one that it writes of a manifest with site variables. Without
// them it writes version 1: who does not know of them would take placeholders
// for values.
const (
	ManifestVersion = 2
	plainManifest   = 1
)

// Names of a patch's entries that come from the root definition, see
// docs/patch-format.md.
const (
	ManifestEntry = "manifest/manifest.json"
	SiteEntry     = "manifest/site.json"
	manifestDir   = "manifest/"
	documentsDir  = "documents/"
	composeName   = "compose.yaml"
)

// A Manifest is a root definition compiled for one site: which containers run
// where, and which documents go with them. Its JSON form is manifest.json. What
// a container is in detail stands in the Compose file of its host.
type Manifest struct {
	FormatVersion int    `json:"formatVersion"`
	Site          string `json:"site"`
	// Project is the Compose project's name, the same in every patch of the
	// site, so that containers are found again.
	Project    string              `json:"project"`
	Hosts      []ManifestHost      `json:"hosts"`      // sorted by name
	Containers []ManifestContainer `json:"containers"` // sorted by name
	Documents  []ManifestDocument  `json:"documents"`  // sorted by path
	// SiteVariables are values that only the site knows. Where there are some,
	// the manifest of a patch has defaults and placeholders in their place, and
	// the site compiles it again: see [CompileAtSite].
	SiteVariables []ManifestVariable `json:"siteVariables,omitempty"` // sorted by name

	files map[string][]byte
	needs []Path
}

// A ManifestVariable is a value that only the site knows.
type ManifestVariable struct {
	Name        string `json:"name"`
	Type        string `json:"type"` // as variables have it: "string", "list(string)"
	Sensitive   bool   `json:"sensitive,omitempty"`
	Required    bool   `json:"required,omitempty"` // there is no default
	Description string `json:"description,omitempty"`
}

// A ManifestHost is a machine of the site.
type ManifestHost struct {
	Name    string `json:"name"`
	Address string `json:"address,omitempty"` // name or IP address
	Docker  string `json:"docker,omitempty"`  // endpoint of its engine; empty for the local one
	Compose string `json:"compose,omitempty"` // entry of its Compose file; empty where nothing runs
}

// A ManifestContainer is a container with its pinned image.
type ManifestContainer struct {
	Name      string               `json:"name"`
	Host      string               `json:"host"`
	Image     string               `json:"image"`   // name in the image sets
	ImageID   string               `json:"imageId"` // sha256:…
	DependsOn []string             `json:"dependsOn,omitempty"`
	Config    []ManifestConfigFile `json:"config,omitempty"` // sorted by path
}

// A ManifestConfigFile is a rendered file that a container sees.
type ManifestConfigFile struct {
	Path   string `json:"path"`   // entry of the patch
	Target string `json:"target"` // in the container
}

// A ManifestDocument is a rendered document.
type ManifestDocument struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Path  string `json:"path"` // entry of the patch
}

// Files returns the entries that the manifest gives a patch, by name:
// manifest.json, the hosts' Compose files, config files and documents. It is
// nil for a decoded manifest.
func (m *Manifest) Files() map[string][]byte { return maps.Clone(m.files) }

// Needs lists the files and folders of conf/ that the containers mount. It is nil
// for a decoded manifest.
func (m *Manifest) Needs() []Path { return m.needs }

// DecodeManifest reads manifest.json. A manifest of a newer version is refused.
func DecodeManifest(data []byte) (*Manifest, error) {
	m := &Manifest{}
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(m); err != nil {
		return nil, fmt.Errorf("cannot decode manifest: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("cannot decode manifest: data after its end")
	}
	if m.FormatVersion < 1 || m.FormatVersion > ManifestVersion {
		return nil, fmt.Errorf("cannot decode manifest: it has version %d, this flotobuild knows %d; use a newer flotobuild", m.FormatVersion, ManifestVersion)
	}
	hosts := make(map[string]bool)
	for _, h := range m.Hosts {
		hosts[h.Name] = true
	}
	for _, c := range m.Containers {
		if !hosts[c.Host] {
			return nil, fmt.Errorf("cannot decode manifest: container %q runs on host %q, which is not listed", c.Name, c.Host)
		}
	}
	return m, nil
}

// encode returns the JSON form: indented, with a newline at the end.
func (m *Manifest) encode() ([]byte, error) {
	b, err := encodeJSON(m)
	if err != nil {
		return nil, fmt.Errorf("cannot encode manifest: %w", err)
	}
	return b, nil
}
