package planner

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// check finds plans that Diff does not make.
func (p *Plan) check() error {
	known := make(map[string]bool)
	for n, i := range p.Images {
		if i == nil {
			return fmt.Errorf("image %d is null", n)
		}
		if err := i.check(known); err != nil {
			return fmt.Errorf("image %q: %w", i.Address, err)
		}
		known[i.Address] = true
	}
	if err := p.checkEnvelopes(known); err != nil {
		return err
	}
	names := make(map[string]bool)
	for n, s := range p.Sites {
		if s == nil {
			return fmt.Errorf("site %d is null", n)
		}
		if names[s.Name] {
			return fmt.Errorf("site %q stands twice", s.Name)
		}
		names[s.Name] = true
		if err := s.check(known); err != nil {
			return fmt.Errorf("site %q: %w", s.Name, err)
		}
	}
	return nil
}

// check also holds that dependencies come first.
func (i *ImagePlan) check(known map[string]bool) error {
	if known[i.Address] {
		return errors.New("stands twice")
	}
	if !slices.Contains([]string{ActionReuse, ActionMake, ActionBase}, i.Action) {
		return fmt.Errorf("unknown action %q", i.Action)
	}
	inputs := map[string]bool{KindBuild: i.Build != nil, KindRootfs: i.Rootfs != nil, KindSource: i.Source != nil}
	if has, ok := inputs[i.Kind]; !ok || !has {
		return fmt.Errorf("kind %q without its inputs", i.Kind)
	}
	if len(i.Platforms) == 0 {
		return errors.New("no platforms")
	}
	for _, d := range i.DependsOn {
		if !known[d] {
			return fmt.Errorf("depends on %q, which does not stand before it", d)
		}
	}
	return nil
}

func (s *SitePlan) check(known map[string]bool) error {
	if !slices.Contains([]string{ChangeNone, ChangeCreate, ChangeUpdate}, s.Change) {
		return fmt.Errorf("unknown change %q", s.Change)
	}
	for _, i := range s.Site.Images {
		if !known[i.Address] {
			return fmt.Errorf("unknown image %q", i.Address)
		}
	}
	for _, c := range s.Images {
		if !slices.Contains([]string{ChangeNone, ChangeCreate, ChangeUpdate, ChangeRemove}, c.Change) {
			return fmt.Errorf("unknown change %q of image %q", c.Change, c.Name)
		}
	}
	return nil
}

// checkEnvelopes also holds that names can be those of folders.
func (p *Plan) checkEnvelopes(known map[string]bool) error {
	for n, v := range p.Volumes {
		if v == nil || !isFolder(v.ID) || !known[v.Image] || !slices.Contains([]string{ChangeNone, ChangeCreate, ChangeUpdate}, v.Change) {
			return fmt.Errorf("volume %d is unusable", n)
		}
	}
	for _, s := range p.Strays {
		if !isOutput(s.Path) {
			return fmt.Errorf("%q is no output of an envelope", s.Path)
		}
	}
	for n, e := range p.Envelopes {
		if e == nil {
			return fmt.Errorf("envelope %d is null", n)
		}
		if len(e.Changes) != len(e.Devices) || !isFolder(e.Name) {
			return fmt.Errorf("envelope %q: unusable name, or devices without a decision", e.Name)
		}
		for i, c := range e.Changes {
			if c.Device != e.Devices[i].Name || !isFolder(c.Device) {
				return fmt.Errorf("envelope %q: unusable device %q", e.Name, c.Device)
			}
			if !slices.Contains([]string{ChangeNone, ChangeCreate, ChangeUpdate}, c.Change) {
				return fmt.Errorf("envelope %q: unknown change %q of device %q", e.Name, c.Change, c.Device)
			}
			for _, f := range c.Files {
				if !isFolder(f.Path) {
					return fmt.Errorf("envelope %q: unusable file %q of device %q", e.Name, f.Path, c.Device)
				}
			}
		}
	}
	return nil
}

// isFolder says that a name stays where it is put.
func isFolder(name string) bool {
	return name != "" && name[0] != '.' && !strings.ContainsAny(name, "/\\\x00")
}
