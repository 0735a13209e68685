package planner

import (
	"errors"
	"fmt"
	"slices"
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
