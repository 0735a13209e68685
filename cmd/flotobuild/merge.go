package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/executor/parent"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/relate"
)

func newMergeCommand(a *app) *cobra.Command {
	var f relatedFlags
	cmd := &cobra.Command{
		Use:   "merge FILE FILE...",
		Short: "Make one patch of a chain of patches, without building",
		Long: "merge writes one patch that does what a chain of patches does: 1→2 and 2→3 become 1→3, and\n" +
			"with the initial patch the result is an initial one. The order of the files does not\n" +
			"matter, gaps and forks are refused. Whoever imports the result is at the last release:\n" +
			"later patches apply to it. Signatures do not pass on to the result: -sign signs it anew.\n" +
			"Where a patch is encrypted, -recipient or its like must name those who may read the result.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return &hintError{fmt.Errorf("merge takes two patch files at least, not %d", len(args)), "usage: flotobuild merge FILE FILE..."}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.merge(cmd.Context(), args, &f) },
	}
	f.define(cmd, "the last patch")
	return cmd
}

func (a *app) merge(ctx context.Context, files []string, f *relatedFlags) error {
	hand := relate.NewHand(patchOpener{a})
	defer hand.Close()
	readers := make(map[*patch.Header]*patch.Reader)
	paths := make(map[*patch.Header]string)
	var headers []*patch.Header
	for _, file := range files {
		r, err := hand.Patch(file)
		if err != nil {
			return err
		}
		headers = append(headers, &r.Header)
		readers[&r.Header], paths[&r.Header] = r, file
	}
	chain, err := patch.Chain(headers)
	if err != nil {
		return fmt.Errorf("cannot merge: %w", err)
	}
	first, last := chain[0], chain[len(chain)-1]
	d, err := patch.Merge(chain, a.parentsBeside(paths[first], first.Description))
	if err != nil {
		return fmt.Errorf("cannot merge: %w", err)
	}
	if slices.ContainsFunc(chain, func(h *patch.Header) bool { return len(h.Description.Deltas()) > 0 }) {
		// Layers that do not stay deltas are made of what they build on.
		if err := hand.Ancestors(folderOf(paths[first]), readers[first]); err != nil {
			return err
		}
	}
	if f.out == "" {
		f.out = filepath.Dir(paths[last])
	}
	return a.writeRelated(ctx, hand, f, d, readers[last])
}

// rebaseFlags are the flags of rebase.
type rebaseFlags struct {
	relatedFlags
	parents, with []string
}

func newRebaseCommand(a *app) *cobra.Command {
	var f rebaseFlags
	cmd := &cobra.Command{
		Use:   "rebase FILE -parent=PARENT",
		Short: "Make a patch of the same release for another parent, without building",
		Long: "rebase writes a patch that brings the release of FILE to sites that have another parent, or\n" +
			"none. The layers that they lack come from FILE, from the parents, from the patches that\n" +
			"FILE builds on where they stand beside it, and from what -with names. Whoever imports the\n" +
			"result is at the same release: later patches apply to it. Signatures do not pass on to the\n" +
			"result: -sign signs it anew. Where a patch is encrypted, -recipient or its like must name\n" +
			"those who may read it.",
		Args: oneFile,
		RunE: func(cmd *cobra.Command, args []string) error { return a.rebase(cmd.Context(), args[0], &f) },
	}
	cmd.Flags().StringArrayVar(&f.parents, "parent", nil,
		"a patch file, a description, a receipt or oci://REFERENCE, as `PARENT`; none for an initial patch; may stand several times")
	cmd.Flags().StringArrayVar(&f.with, "with", nil, "take layers from this patch, folder of patches, or OCI image layout (`PATH`); may stand several times")
	f.define(cmd, "FILE")
	return cmd
}

func (a *app) rebase(ctx context.Context, file string, f *rebaseFlags) error {
	if len(f.parents) == 0 {
		return &hintError{errors.New("rebase needs a parent"), "-parent names what the sites have, or none"}
	}
	hand := relate.NewHand(patchOpener{a})
	defer hand.Close()
	release, err := hand.Patch(file)
	if err != nil {
		return err
	}
	o, err := a.opener()
	if err != nil {
		return err
	}
	parents, err := f.open(ctx, o, hand)
	if err != nil {
		return err
	}
	if err := gather(hand, file, release, f.with); err != nil {
		return err
	}
	d, err := patch.Rebase(&release.Header, parents)
	if err != nil {
		return fmt.Errorf("cannot rebase %q: %w", file, err)
	}
	if f.out == "" {
		f.out = filepath.Dir(file)
	}
	return a.writeRelated(ctx, hand, &f.relatedFlags, d, release)
}

// open opens the parents; the patch files among them give layers, too.
func (f *rebaseFlags) open(ctx context.Context, o patch.Opener, hand *relate.Hand) ([]*patch.Header, error) {
	var out []*patch.Header
	for _, location := range f.parents {
		if location == "none" {
			if len(f.parents) > 1 {
				return nil, &hintError{errors.New("-parent names both none and a parent"), "an initial patch applies everywhere: leave one of them out"}
			}
			return nil, nil
		}
		p, err := parent.Open(ctx, location, o)
		if err != nil {
			return nil, fmt.Errorf("cannot use the parent that -parent names: %w", err)
		}
		h, isPatch := p.Header, p.Patch != nil
		p.Close()
		out = append(out, &h)
		if isPatch {
			if _, err := hand.Patch(location); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// gather adds what may have the layers that a patch does not bring itself.
func gather(hand *relate.Hand, file string, p *patch.Reader, with []string) error {
	for _, path := range with {
		if err := hand.Add(path); err != nil {
			return fmt.Errorf("cannot use what -with names: %w", err)
		}
	}
	return hand.Ancestors(filepath.Dir(file), p)
}
