package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/executor"
	"github.com/flotobuild/flotobuild/patch"
)

// metadataFormat is the first value of every metadata file.
const (
	metadataFormat  = "flotobuild-metadata"
	metadataVersion = 1
)

// applyMetadata is what -metadata-file tells of an apply.
type applyMetadata struct {
	Format        string             `json:"format"`
	FormatVersion int                `json:"formatVersion"`
	ToolVersion   string             `json:"toolVersion"`
	Outcome       string             `json:"outcome"`
	Error         string             `json:"error,omitempty"`
	Sites         []metadataSite     `json:"sites"`
	Envelopes     []metadataEnvelope `json:"envelopes,omitempty"` // those that were sealed
	Volumes       []metadataVolume   `json:"volumes,omitempty"`   // those that were written
	Removed       []string           `json:"removed,omitempty"`   // outputs that belonged to nothing
}

type metadataSite struct {
	Site string `json:"site"`
	// Patch is null where the site lacks nothing.
	Patch *metadataPatch `json:"patch"`
}

type metadataPatch struct {
	ID                string          `json:"id"`
	File              string          `json:"file"`              // relative to the project where it is inside
	Volumes           []string        `json:"volumes,omitempty"` // of a file that was split; the first is File
	Size              int64           `json:"size"`              // bytes of the whole file
	SHA256            string          `json:"sha256"`
	DescriptionDigest digest.Digest   `json:"descriptionDigest"`
	NewLayerBytes     int64           `json:"newLayerBytes"`
	Images            []metadataImage `json:"images"`
}

type metadataImage struct {
	Name    string          `json:"name"`
	Address string          `json:"address,omitempty"`
	ID      digest.Digest   `json:"id"`
	Layers  []metadataLayer `json:"layers"`
}

type metadataLayer struct {
	Platform string        `json:"platform"`
	DiffID   digest.Digest `json:"diffId"`
	Digest   digest.Digest `json:"digest"` // of the blob
	Size     int64         `json:"size"`   // bytes of the blob
	New      bool          `json:"new"`    // the patch carries it
	// Delta is the bytes of the delta that travels instead of the blob.
	Delta int64 `json:"delta,omitempty"`
}

// looksLikeMetadata knows a metadata file by its first bytes.
func looksLikeMetadata(head []byte) bool {
	text := strings.Join(strings.Fields(string(head)), "")
	return strings.HasPrefix(text, `{"format":"`+metadataFormat+`"`)
}

// writeMetadata tells in a file how apply ended; err is what it ended with.
func (a *app) writeMetadata(ctx context.Context, name string, done *applied, err error) error {
	m := applyMetadata{
		Format: metadataFormat, FormatVersion: metadataVersion, ToolVersion: version,
		Outcome: outcome(ctx, worked(done.result), err), Sites: []metadataSite{},
	}
	m.addEnvelopes(done)
	if err != nil {
		m.Error = message(err)
	}
	for _, s := range results(done) {
		site, err := siteMetadata(done.project, s)
		if err != nil {
			return fmt.Errorf("cannot write the metadata file: %w", err)
		}
		m.Sites = append(m.Sites, site)
	}
	b, jerr := json.MarshalIndent(m, "", "  ")
	if jerr == nil {
		jerr = replaceFile(name, append(b, '\n'), 0o666)
	}
	if jerr != nil {
		return fmt.Errorf("cannot write the metadata file: %w", jerr)
	}
	return nil
}

// results are those of the sites; where nothing had to be done, none has a file.
func results(done *applied) []executor.SiteResult {
	if done.result != nil {
		return done.result.Sites
	}
	var out []executor.SiteResult
	if done.plan != nil {
		for _, s := range done.plan.Sites {
			out = append(out, executor.SiteResult{Site: s.Name})
		}
	}
	return out
}

// message is what an error says; of problems in the configuration, which are
// printed one by one, that there are any.
func message(err error) string {
	if code := exitError(0); errors.As(err, &code) {
		return "the configuration has errors"
	}
	return err.Error()
}

func siteMetadata(p *project, s executor.SiteResult) (metadataSite, error) {
	out := metadataSite{Site: s.Site}
	if s.File == "" {
		return out, nil
	}
	sum := s.SHA256
	if len(s.Volumes) == 0 {
		var err error
		if sum, err = fileSum(s.File); err != nil {
			return out, err
		}
	}
	fresh := make(map[digest.Digest]executor.LayerResult)
	for _, l := range s.NewLayers {
		fresh[l.DiffID] = l
	}
	out.Patch = &metadataPatch{
		ID: s.ID, File: p.relative(s.File), Size: s.Size, SHA256: sum,
		DescriptionDigest: s.Description, NewLayerBytes: total(s.NewLayers),
	}
	for _, v := range s.Volumes {
		out.Patch.Volumes = append(out.Patch.Volumes, p.relative(v))
	}
	for _, i := range s.Images {
		out.Patch.Images = append(out.Patch.Images, imageMetadata(i, fresh))
	}
	return out, nil
}

func imageMetadata(i patch.Image, fresh map[digest.Digest]executor.LayerResult) metadataImage {
	out := metadataImage{Name: i.Name, Address: i.Address, ID: i.ID, Layers: []metadataLayer{}}
	for _, m := range i.Manifests {
		for _, l := range m.Layers {
			now, ok := fresh[l.DiffID]
			out.Layers = append(out.Layers, metadataLayer{m.Platform, l.DiffID, l.Digest, l.Size, ok, now.Delta})
		}
	}
	return out
}

func fileSum(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
