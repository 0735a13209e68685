package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/envelope"
	"github.com/flotobuild/flotobuild/envelope/evepb"
	"github.com/flotobuild/flotobuild/internal/atomicfile"
)

// extractFlags are the flags of envelope open.
type extractFlags struct {
	openFlags
	blob, out, dir string
	raw            bool
}

func newEnvelopeOpenCommand(a *app) *cobra.Command {
	var f extractFlags
	cmd := &cobra.Command{
		Use:   "open FILE...",
		Short: "Take content out of envelopes",
		Long: "open writes a blob to stdout, or to a file that only you can read. It decrypts with the private\n" +
			"key of the device and the certificate of the controller, or with the controller's key and the\n" +
			"device's certificate. Nothing is written unless all of it has its SHA-256.",
		Args: envelopeFiles,
		RunE: func(_ *cobra.Command, args []string) error { return a.openEnvelope(&f, args) },
	}
	f.register(cmd)
	cmd.Flags().StringVar(&f.blob, "blob", "", "`NAME` of the blob")
	cmd.Flags().StringVar(&f.out, "out", "", "write the blob to this `FILE`")
	cmd.Flags().StringVar(&f.dir, "dir", "", "write all inline blobs to this folder (`DIR`)")
	cmd.Flags().BoolVar(&f.raw, "base64", false, "write the base64 text as applications get it")
	return cmd
}

func (a *app) openEnvelope(f *extractFlags, files []string) error {
	if (f.blob == "") == (f.dir == "") {
		return &hintError{errors.New("envelope open needs either -blob or -dir"), "flotobuild envelope show lists the blobs"}
	}
	config, err := f.read(files)
	if err != nil {
		return err
	}
	opener, err := f.openerFor(a, config)
	if err != nil {
		return err
	}
	found, err := f.extract(config, opener)
	if err != nil {
		return err
	}
	switch {
	case f.dir != "":
		return writePrivate(f.dir, found)
	case f.out != "":
		sweepClearText(filepath.Dir(f.out))
		return atomicfile.WriteFile(f.out, found[0].content, 0o600)
	}
	_, err = a.ui.out.Write(found[0].content)
	return err
}

// An extract is a blob in the clear.
type extract struct {
	name    string
	content []byte
}

// extract opens all blobs, or the one that is asked for. Blobs that do not open
// matter unless the one asked for is found.
func (f *extractFlags) extract(config *evepb.EdgeDevConfig, opener *envelope.Opener) ([]extract, error) {
	var all []extract
	var errs []error
	for _, e := range config.GetPatchEnvelopes() {
		for n, artifact := range e.GetArtifacts() {
			x, err := f.extractOne(artifact, opener)
			switch {
			case err != nil:
				errs = append(errs, fmt.Errorf("blob %d of envelope %q: %w", n+1, e.GetDisplayName(), err))
			case x != nil && f.blob == x.name:
				return []extract{*x}, nil
			case x != nil:
				all = append(all, *x)
			}
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if f.blob != "" {
		return nil, &hintError{fmt.Errorf("there is no inline blob %q", f.blob), "flotobuild envelope show lists the blobs"}
	}
	return all, nil
}

// extractOne gives an inline blob, and nil for a volume, whose content is not
// in envelopes.
func (f *extractFlags) extractOne(a *evepb.EveBinaryArtifact, opener *envelope.Opener) (*extract, error) {
	m := a.GetInline()
	if x := a.GetEncryptedInline(); x != nil {
		if opener == nil {
			return nil, &hintError{errors.New("it is encrypted"), "-key and -peer open it"}
		}
		var err error
		if m, err = opener.Inline(x); err != nil {
			return nil, err
		}
	}
	if m == nil {
		return nil, nil
	}
	if f.raw {
		return &extract{m.GetFileNameToUse(), []byte(m.GetBase64Data())}, nil
	}
	content, err := base64.StdEncoding.DecodeString(m.GetBase64Data())
	if err != nil {
		return nil, &hintError{fmt.Errorf("the content of %q is no base64", m.GetFileNameToUse()), "-base64 writes it as it is"}
	}
	return &extract{m.GetFileNameToUse(), content}, nil
}

// sweepClearText removes what a killed open left behind. Failing to is no reason
// not to open.
func sweepClearText(dir string) { _, _ = atomicfile.Sweep(dir) }

// writePrivate writes blobs to a folder. All are complete before the first gets
// its name, and no name leads out of the folder or is taken.
func writePrivate(dir string, found []extract) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("cannot write blobs: %w", err)
	}
	sweepClearText(dir)
	staged := make([]*atomicfile.File, len(found))
	names := make(map[string]bool)
	for n, x := range found {
		if !filepath.IsLocal(x.name) || x.name == "." || strings.ContainsAny(x.name, "/\\\x00") {
			return fmt.Errorf("cannot write blob %q: its name is no file name", x.name)
		}
		if names[x.name] {
			return fmt.Errorf("cannot write blob %q: the name stands twice", x.name)
		}
		names[x.name] = true
		f, err := atomicfile.Create(dir, 0o600)
		if err != nil {
			return fmt.Errorf("cannot write blob %q: %w", x.name, err)
		}
		defer f.Abort()
		if _, err := f.Write(x.content); err != nil {
			return fmt.Errorf("cannot write blob %q: %w", x.name, err)
		}
		staged[n] = f
	}
	for n, x := range found {
		if err := staged[n].Replace(filepath.Join(dir, x.name)); err != nil {
			return err
		}
	}
	return nil
}
