package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/legacy"
	"github.com/flotobuild/flotobuild/patch/sign"
	"github.com/flotobuild/flotobuild/patch/volume"
)

// verifyFlags are the flags of verify.
type verifyFlags struct {
	asJSON        bool
	parents       []string
	stores        []string
	requireParent bool
	rebuild       bool
	vars          variableFlags
	trust         trustFlags
}

// A verification is the outcome for one file.
type verification struct {
	File string `json:"file"`
	OK   bool   `json:"ok"`
	// Complete tells that all parents were at hand and miss nothing.
	Complete bool          `json:"complete"`
	Error    string        `json:"error,omitempty"` // why the file could not be opened
	Hint     string        `json:"-"`               // how to mend that
	Report   *patch.Report `json:"report,omitempty"`
	// Legacy is the report on a patch that floto itself wrote.
	Legacy *legacy.Report `json:"legacy,omitempty"`
	// Receipt is what a receipt says.
	Receipt *receiptReport `json:"receipt,omitempty"`
	// Rebuilt compares the file with what the project gives.
	Rebuilt *rebuilt `json:"rebuilt,omitempty"`
	// Signatures says who signed, as far as it was checked.
	Signatures *sign.Verdict `json:"signatures,omitempty"`
	// Volumes tells of the volumes of a file that is in some.
	Volumes *volume.Report `json:"volumes,omitempty"`
}

func newVerifyCommand(a *app) *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify FILE|FOLDER...",
		Short: "Check patch files and receipts from the first byte to the last",
		Long: "verify checks the structure of patch files, size and digest of everything in them, every\n" +
			"layer's content, and that nothing is missing together with the parent's patch.\n" +
			"Of a patch in volumes, any volume or their folder stands for it; each volume is checked.\n" +
			"Parents are looked for beside each file, unless -parent names them. A layer that travels as\n" +
			"a delta is made and compared where the layers that it builds on are in the parents, in\n" +
			"patches beside them, or in a -store; else its header is checked. Signatures are checked\n" +
			"against a trust policy or public keys; a patch that is not signed as they demand is refused.\n" +
			"With -rebuild, in the project at the state that a patch was made from, it builds the patch\n" +
			"once more and compares. The patch is to be made with SOURCE_DATE_EPOCH for that.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &hintError{errors.New("verify needs a patch file"), "usage: flotobuild verify FILE..."}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.verify(cmd.Context(), args, &f) },
	}
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
	cmd.Flags().StringArrayVar(&f.parents, "parent", nil, "check completeness with this patch `FILE`; may stand several times")
	cmd.Flags().StringArrayVar(&f.stores, "store", nil, "apply deltas to layers of this site's store, `DIR`; may stand several times")
	cmd.Flags().BoolVar(&f.requireParent, "require-parent", false, "fail where a parent is not at hand")
	cmd.Flags().BoolVar(&f.rebuild, "rebuild", false, "build the patch again from this project, and compare")
	f.vars.define(cmd)
	f.trust.define(cmd)
	return cmd
}

func (a *app) verify(ctx context.Context, files []string, f *verifyFlags) error {
	parents, err := a.parentHeaders(f.parents)
	if err != nil {
		return err
	}
	policy, err := f.trust.read()
	if err != nil {
		return err
	}
	ok := true
	var all []verification
	for _, file := range oncePerSet(files) {
		v, err := a.verifyFile(ctx, file, parents, f, policy)
		if err != nil {
			return err
		}
		if f.requireParent && !v.Complete {
			v.OK = false
		}
		if f.rebuild && v.OK {
			if v.Rebuilt, err = a.rebuild(ctx, file, &f.vars); err != nil {
				return err
			}
			v.OK = len(v.Rebuilt.Differences) == 0
		}
		ok = ok && v.OK
		if all = append(all, v); !f.asJSON {
			a.showVerification(v, f.requireParent, policy != nil)
		}
	}
	if f.asJSON {
		b, err := json.MarshalIndent(map[string]any{"formatVersion": 1, "ok": ok, "files": all}, "", "  ")
		if err != nil {
			return err
		}
		a.ui.printJSON(b)
	}
	if !ok {
		return exitError(1)
	}
	return nil
}

// parentHeaders reads the parents that -parent names.
func (a *app) parentHeaders(files []string) ([]*patch.Header, error) {
	var out []*patch.Header
	for _, name := range files {
		r, err := a.openPatch(name)
		if err != nil {
			return nil, fmt.Errorf("cannot use the parent that -parent names: %w", err)
		}
		r.Close()
		out = append(out, &r.Header)
	}
	return out, nil
}

// verifyFile checks one file. The error is for what ends the whole command.
func (a *app) verifyFile(ctx context.Context, file string, parents []*patch.Header, f *verifyFlags, policy *sign.Policy) (verification, error) {
	v := verification{File: file}
	if s := volumesOf(file); s != nil {
		if whole, err := verifyVolumes(ctx, &v, s); err != nil || !whole {
			return v, err
		}
	}
	if looksLikeReceipt(file) {
		return verifyReceipt(file, policy), nil
	}
	old, err := openLegacy(file)
	if err != nil {
		v.Error = err.Error()
		return v, nil
	}
	if old != nil {
		defer old.Close()
		return verifyLegacy(ctx, file, old)
	}
	r, err := a.openPatch(file)
	if err != nil {
		v.Error, v.Hint = err.Error(), hintOf(err)
		return v, nil
	}
	defer r.Close()
	if len(parents) == 0 {
		parents = a.parentsBeside(file, r.Description)
	}
	o := patch.VerifyOptions{Parents: parents}
	if len(r.Description.Deltas()) > 0 {
		hand, err := a.deltaBases(file, r, f)
		if err != nil {
			return v, err
		}
		defer hand.Close()
		o.Bases = hand.Tar
	}
	v.Report, err = patch.Verify(ctx, r, o)
	if v.Report == nil {
		return v, fmt.Errorf("cannot verify %q: %w", file, err)
	}
	var untrusted error
	v.Signatures, untrusted = checkTrust(r, policy)
	v.OK = err == nil && untrusted == nil
	v.Complete = v.Report.Complete()
	return v, nil
}
