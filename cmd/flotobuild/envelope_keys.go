package main

import (
	"crypto/ecdh"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/envelope"
	"github.com/flotobuild/flotobuild/envelope/evepb"
	"github.com/flotobuild/flotobuild/envelope/metadata"
	"github.com/flotobuild/flotobuild/internal/regular"
)

// maxPEM bounds files with keys and certificates, in bytes.
const maxPEM = 1 << 20

// openFlags are the flags of commands that open envelopes.
type openFlags struct {
	key      string
	peers    []string
	contexts []string
}

func (f *openFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.key, "key", "", "open with this private key, the device's or the controller's (`FILE`)")
	cmd.Flags().StringArrayVar(&f.peers, "peer", nil, "certificate of the other side (`FILE`); may stand several times")
	cmd.Flags().StringArrayVar(&f.contexts, "context", nil, "cipher context that the envelopes need (`FILE`); may stand several times")
}

// read gives all envelopes and contexts of the files as one configuration.
func (f *openFlags) read(files []string) (*evepb.EdgeDevConfig, error) {
	all := new(evepb.EdgeDevConfig)
	for _, name := range files {
		c, err := metadata.ReadConfig(name)
		if err != nil {
			return nil, err
		}
		all.CipherContexts = append(all.CipherContexts, c.GetCipherContexts()...)
		all.PatchEnvelopes = append(all.PatchEnvelopes, c.GetPatchEnvelopes()...)
	}
	for _, name := range f.contexts {
		b, err := readSmall(name, maxPEM)
		if err != nil {
			return nil, err
		}
		c, err := envelope.ReadContext(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all.CipherContexts = append(all.CipherContexts, c)
	}
	return all, nil
}

// opener gives what makes openers, or nil where no key is named.
func (f *openFlags) opener(a *app) (func([]*evepb.CipherContext) (*envelope.Opener, error), error) {
	if f.key == "" {
		if len(f.peers) > 0 {
			return nil, &hintError{errors.New("-peer stands without -key"), "name your own private key with -key"}
		}
		return nil, nil
	}
	if len(f.peers) == 0 {
		return nil, &hintError{errors.New("-key stands without -peer"), "name the other side's certificate with -peer: the controller's for a device's key, the device's for a controller's"}
	}
	key, err := a.privateKey(f.key)
	if err != nil {
		return nil, err
	}
	var peers []*envelope.Certificate
	for _, name := range f.peers {
		c, err := readCertificate(name)
		if err != nil {
			return nil, err
		}
		peers = append(peers, c)
	}
	return func(contexts []*evepb.CipherContext) (*envelope.Opener, error) {
		return envelope.NewOpener(key, contexts, peers...)
	}, nil
}

// openerFor makes the opener for a configuration, or nil.
func (f *openFlags) openerFor(a *app, config *evepb.EdgeDevConfig) (*envelope.Opener, error) {
	open, err := f.opener(a)
	if err != nil || open == nil {
		return nil, err
	}
	return open(config.GetCipherContexts())
}

// privateKey reads a key, and warns where others may do so, too.
func (a *app) privateKey(name string) (*ecdh.PrivateKey, error) {
	b, err := readSmall(name, maxPEM)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(name); err == nil && info.Mode().Perm()&0o077 != 0 {
		a.ui.warnf("%s: others on this machine can use this private key (mode %04o); chmod 600 mends it", name, info.Mode().Perm())
	}
	key, err := envelope.ParsePrivateKey(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return key, nil
}

func readCertificate(name string) (*envelope.Certificate, error) {
	b, err := readSmall(name, maxPEM)
	if err != nil {
		return nil, err
	}
	c, err := envelope.ParseCertificate(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// readSmall reads a regular file of at most limit bytes.
func readSmall(name string, limit int64) ([]byte, error) {
	f, _, err := regular.Open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read %q: %w", name, err)
	}
	defer f.Close()
	return readLimited(f, name, limit)
}

func readLimited(r io.Reader, name string, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read %q: %w", name, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("cannot read %q: it has more than %d bytes", name, limit)
	}
	return b, nil
}
