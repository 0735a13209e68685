package executor

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
	"github.com/flotobuild/flotobuild/store"
)

// configKey is the metadata of an input under which the frontend finds an image
// config.
const configKey = "containerimage.config"

// baseInputs hands over the images of the project that an image is built on:
// their layers as inputs of the frontend, which it adds to attrs as named
// contexts, and their configs beside them.
//
// BuildKit's cache knows a base by the digest of its manifest. The manifest made
// here follows from the layers alone, so that a base which gets another label,
// or is built again with the same layers, does not make every step on top of it
// run again and give new layers.
func (r *run) baseInputs(img *planner.ImagePlan, attrs map[string]string) (map[string]llb.State, error) {
	inputs := make(map[string]llb.State)
	for name, c := range img.Build.Contexts {
		if c.Image == "" {
			continue
		}
		base, err := r.base(c.Image)
		if err == nil {
			err = checkPlatforms(img, base)
		}
		if err != nil {
			return nil, fmt.Errorf("cannot build %s: %w", img.Address, err)
		}
		for i, m := range base.Manifests {
			key := fmt.Sprintf("base-%s-%d", digest.FromString(name).Encoded()[:12], i)
			state, metadata, err := r.baseInput(name, m)
			if err != nil {
				return nil, fmt.Errorf("cannot build %s on %s: %w", img.Address, c.Image, err)
			}
			inputs[key] = state
			attrs["input-metadata:"+key] = metadata
			attrs["context:"+name+"::"+m.Platform] = "input:" + key
			if i == 0 {
				attrs["context:"+name] = "input:" + key
			}
		}
	}
	return inputs, nil
}

func checkPlatforms(img *planner.ImagePlan, base patch.Image) error {
	var has []string
	for _, m := range base.Manifests {
		has = append(has, m.Platform)
	}
	for _, p := range img.Platforms {
		if !slices.Contains(has, p) {
			return fmt.Errorf("it is for %s, and its base %s is only for %s", p, base.Address, strings.Join(has, ", "))
		}
	}
	return nil
}

func (r *run) baseInput(name string, m patch.Manifest) (llb.State, string, error) {
	platform, err := parsePlatform(m.Platform)
	if err != nil {
		return llb.State{}, "", err
	}
	config, err := store.ReadBlob(context.Background(), r.docs, m.Config)
	if err != nil {
		return llb.State{}, "", err
	}
	metadata, err := json.Marshal(map[string][]byte{configKey: config})
	if err != nil {
		return llb.State{}, "", err
	}
	var ids []digest.Digest
	for _, l := range m.Layers {
		ids = append(ids, l.DiffID)
	}
	plain, desc := store.NewConfig(store.ConfigOptions{Platform: *platform, DiffIDs: ids})
	r.docs.add(desc.MediaType, plain)
	manifest, desc := store.NewManifest(desc, descriptors(m.Layers))
	r.docs.add(desc.MediaType, manifest)
	state := llb.OCILayout("docker.io/flotobuild/base@"+desc.Digest.String(),
		llb.OCIStore("", storeID),
		llb.Platform(*platform),
		llb.WithCustomName("[context "+name+"] load base image"),
	)
	return state, string(metadata), nil
}
