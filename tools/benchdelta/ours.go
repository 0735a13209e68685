package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// ours is the name of this project's method in the tables.
const ours = "flotobuild delta"

// own is this project's method: it takes images, and not all layers in one
// file. The images have their layers uncompressed, as the other tools get them.
func own(program string) method {
	return method{
		name: ours,
		create: func(f files) []step {
			return []step{{[]string{program, "delta", "create", f.oldImage, f.newImage, f.update}, ""}}
		},
		apply: func(f files) []step {
			return []step{{[]string{program, "delta", "apply", f.oldImage, f.update, f.back}, ""}}
		},
		same: func(f files) error {
			for _, blob := range f.blobs {
				if err := sameFiles(filepath.Join(f.newImage, blob), filepath.Join(f.back, blob)); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// A descriptor is OCI's.
type descriptor struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
	Size      int64  `json:"size"`
}

// writeImage makes an OCI layout whose layers are links to tar files, and
// returns the blobs of the layers.
func writeImage(dir string, layers []string) ([]string, error) {
	blobs := filepath.Join(dir, "blobs", "sha256")
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		return nil, err
	}
	descriptors, ids, names := []descriptor{}, []string{}, []string{}
	for _, l := range layers {
		d, err := describeFile(l)
		if err != nil {
			return nil, err
		}
		descriptors, ids = append(descriptors, d), append(ids, d.Digest)
		names = append(names, filepath.Join("blobs", "sha256", d.Digest[len("sha256:"):]))
		if err := os.Symlink(l, filepath.Join(dir, names[len(names)-1])); err != nil && !os.IsExist(err) {
			return nil, err
		}
	}
	config, err := writeDocument(blobs, "application/vnd.oci.image.config.v1+json", map[string]any{
		"architecture": "amd64", "os": "linux", "rootfs": map[string]any{"type": "layers", "diff_ids": ids},
	})
	if err != nil {
		return nil, err
	}
	manifest, err := writeDocument(blobs, "application/vnd.oci.image.manifest.v1+json", map[string]any{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": descriptors,
	})
	if err != nil {
		return nil, err
	}
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "manifests": []descriptor{manifest}})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "index.json"), index, 0o644); err != nil {
		return nil, err
	}
	return names, os.WriteFile(filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644)
}

func describeFile(name string) (descriptor, error) {
	f, err := os.Open(name)
	if err != nil {
		return descriptor{}, err
	}
	defer f.Close()
	hash := sha256.New()
	n, err := io.Copy(hash, f)
	return descriptor{"application/vnd.oci.image.layer.v1.tar", fmt.Sprintf("sha256:%x", hash.Sum(nil)), n}, err
}

func writeDocument(blobs, mediaType string, v any) (descriptor, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return descriptor{}, err
	}
	sum := fmt.Sprintf("%x", sha256.Sum256(b))
	return descriptor{mediaType, "sha256:" + sum, int64(len(b))}, os.WriteFile(filepath.Join(blobs, sum), b, 0o644)
}
