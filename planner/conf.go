package planner

import (
	"context"
	"maps"
	"path"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/flotobuild/flotobuild/lang"
)

// DataDir is the folder of flotobuild's own files in a project. It never
// travels.
const DataDir = ".flotobuild"

// confFacts is one selection of files, shared by the sites that use it.
type confFacts struct {
	root  *lang.RootDefinition // the first that has the selection
	files []File
}

func (c *confFacts) selects(r *lang.RootDefinition) bool {
	return slices.Equal(c.root.Conf.Include, r.Conf.Include) && slices.Equal(c.root.Conf.Exclude, r.Conf.Exclude)
}

func (c *confFacts) include() []string {
	if len(c.root.Conf.Include) == 0 {
		return []string{"**"}
	}
	return c.root.Conf.Include
}

// groupConfs lists the different selections of the sites.
func (r *resolver) groupConfs() {
	for _, s := range r.cfg.Sites {
		if r.conf(s.RootDefinition) == nil {
			r.confs = append(r.confs, &confFacts{root: s.RootDefinition})
		}
	}
}

func (r *resolver) conf(root *lang.RootDefinition) *confFacts {
	for _, c := range r.confs {
		if c.selects(root) {
			return c
		}
	}
	return nil
}

func (r *resolver) gatherConf(ctx context.Context, c *confFacts, omit []string) hcl.Diagnostics {
	files, err := r.facts.Conf(ctx, ConfQuery{Include: c.include(), Exclude: c.root.Conf.Exclude, Omit: omit})
	if err != nil {
		return hcl.Diagnostics{fileProblem(c.root.Range, "conf", c.root.File.Name, err)}
	}
	c.files = files
	return r.checkRoots(c)
}

// omitted lists what never travels in conf/: outputs, flotobuild's own folder,
// root file systems and OCI layouts, which travel as images, what envelopes are
// made from, secrets, keys that sign, and files of variables that set a sensitive
// one. Paths outside of the project are left out, and so is an output that is the project
// folder itself: patch files are never part of conf.
func (r *resolver) omitted() []string {
	omit := map[string]bool{DataDir: true, EnvelopesDir: true, VolumesDir: true} // of envelopes that are gone, too
	for _, e := range slices.Concat(r.cfg.Envelopes, r.cfg.UnselectedEnvelopes) {
		omitEnvelope(omit, e)
	}
	for _, s := range slices.Concat(r.cfg.Sites, r.cfg.Unselected) {
		omit[path.Clean(s.Patch.Output.Name)] = true
		for _, k := range s.Patch.SignKeys {
			omit[path.Clean(k.Name)] = true
		}
	}
	for _, v := range r.cfg.Variables {
		for _, f := range v.Files {
			if v.Sensitive {
				omit[path.Clean(f)] = true
			}
		}
	}
	for _, set := range r.cfg.ImageSets {
		for _, i := range set.Images {
			if i.Rootfs != nil {
				omit[path.Clean(i.Rootfs.Name)] = true
			}
			if i.Source != nil && IsLayout(i.Source.Ref) {
				if dir, _, _, err := SplitLayout(i.Source.Ref); err == nil {
					omit[path.Clean(dir)] = true
				}
			}
			if i.Build == nil {
				continue
			}
			for _, s := range i.Build.Secrets {
				if s.File != nil {
					omit[path.Clean(s.File.Name)] = true
				}
			}
		}
	}
	delete(omit, ".")
	return slices.Sorted(maps.Keys(omit))
}

// omitEnvelope omits keys and what blobs hold. Certificates may be seen.
func omitEnvelope(omit map[string]bool, e *lang.Envelope) {
	if e.Controller != nil {
		omit[path.Clean(e.Controller.Key.Name)] = true
	}
	for _, b := range e.Blobs {
		if b.Source != nil {
			omit[path.Clean(b.Source.Name)] = true
		}
	}
}
