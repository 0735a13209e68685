package executor

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"runtime"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"github.com/flotobuild/flotobuild/envelope"
	"github.com/flotobuild/flotobuild/envelope/evepb"
	"github.com/flotobuild/flotobuild/internal/regular"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// A sealing is what a device gets anew of an envelope. Messages are kept, and
// their files made when they are needed, so that memory holds each once.
type sealing struct {
	plan     *planner.EnvelopePlan
	change   planner.DeviceChange
	created  patch.Time
	envelope *evepb.EvePatchEnvelope
	context  *evepb.CipherContext // nil where nothing is encrypted
	files    []planner.File       // sorted by name
}

// outputNames are the files of a sealing in their order.
var outputNames = []string{"config.json", "config.pb", "context.json", "context.pb", "envelope.json", "envelope.pb"}

// sealAll seals what the plan says, a few devices at once.
func (r *run) sealAll(ctx context.Context) error {
	r.sealed = make(map[string]*sealing)
	if err := r.restoreAll(); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, e := range r.plan.Envelopes {
		if !e.Sealed() {
			continue
		}
		def, controller, err := r.envelopeInputs(e)
		if err != nil {
			return fmt.Errorf("cannot seal envelope %q: %w", e.Name, err)
		}
		for n, c := range e.Changes {
			if c.Change == planner.ChangeNone {
				continue
			}
			s := &sealing{plan: e, change: c, created: patch.NewTime(def.Created)}
			r.sealed[planner.EnvelopeFolder(e.Name, c.Device)] = s
			g.Go(func() error {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				if err := r.seal(s, def, controller, e.Devices[n]); err != nil {
					return fmt.Errorf("cannot seal envelope %q for device %q: %w", e.Name, c.Device, err)
				}
				return nil
			})
		}
	}
	return g.Wait()
}

// envelopeInputs reads content and key, and holds them to the plan.
func (r *run) envelopeInputs(e *planner.EnvelopePlan) (*envelope.Definition, *envelope.Controller, error) {
	if r.opts.Define == nil || planner.KeyID(r.opts.DigestKey) != e.Key {
		return nil, nil, errors.New("the digest key is not the one of the plan; plan again")
	}
	def, err := r.opts.Define(e.Address)
	if err != nil {
		return nil, nil, err
	}
	if len(def.Blobs) != len(e.Blobs) {
		return nil, nil, errors.New("it has other blobs than the plan says; plan again")
	}
	def.Created = r.opts.created().UTC().Truncate(time.Millisecond)
	for n, b := range e.Blobs {
		if err := r.blobContent(&def.Blobs[n], b); err != nil {
			return nil, nil, fmt.Errorf("blob %q: %w", b.Name, err)
		}
	}
	if e.Controller == nil {
		return def, nil, nil
	}
	c, err := r.controller(e.Controller)
	return def, c, err
}

// blobContent reads the content of an inline blob. That of a volume is not part
// of the envelope, and only compared.
func (r *run) blobContent(b *envelope.Blob, planned planner.EnvelopeBlob) error {
	sum := digest.FromBytes(b.Content)
	if img := r.planned(planned.Image); img != nil {
		sum = img.Fingerprint.Digest
	}
	if planned.Source != "" {
		f, _, err := regular.Open(r.path(planned.Source))
		if err != nil {
			return fmt.Errorf("cannot read %q: %w", planned.Source, err)
		}
		defer f.Close()
		if b.Volume != nil {
			sum, err = digest.FromReader(f)
		} else {
			b.Content, err = io.ReadAll(io.LimitReader(f, planned.Size+1))
			sum = digest.FromBytes(b.Content)
		}
		if err != nil {
			return fmt.Errorf("cannot read %q: %w", planned.Source, err)
		}
	}
	have, err := planner.BlobDigest(r.opts.DigestKey, *b, sum)
	if err == nil && have != planned.Digest {
		err = errors.New("it has changed since the plan was made; plan again")
	}
	return err
}

func (r *run) controller(c *planner.EnvelopeController) (*envelope.Controller, error) {
	b, err := r.smallFile(c.Key)
	if err != nil {
		return nil, err
	}
	var out envelope.Controller
	if out.Key, err = envelope.ParsePrivateKey(b); err != nil {
		return nil, fmt.Errorf("%q: %w", c.Key, err)
	}
	if c.Certificate != "" {
		if out.Certificate, err = r.certificate(c.Certificate); err != nil {
			return nil, err
		}
	}
	out.Hash, err = explicitHash(c.Hash)
	return &out, err
}

func (r *run) certificate(name string) (*envelope.Certificate, error) {
	b, err := r.smallFile(name)
	if err != nil {
		return nil, err
	}
	c, err := envelope.ParseCertificate(b)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", name, err)
	}
	return c, nil
}

func explicitHash(text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	return hex.DecodeString(text)
}

// smallFile reads a key or a certificate.
func (r *run) smallFile(name string) ([]byte, error) {
	const most = 256 << 10
	f, _, err := regular.Open(r.path(name))
	if err != nil {
		return nil, fmt.Errorf("cannot read %q: %w", name, err)
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}

// seal makes the messages for one device.
func (r *run) seal(s *sealing, def *envelope.Definition, c *envelope.Controller, d planner.EnvelopeDevice) error {
	var sealer *envelope.Sealer
	if c != nil {
		cert, err := r.certificate(d.Certificate)
		if err != nil {
			return err
		}
		hash, err := explicitHash(d.Hash)
		if err != nil {
			return err
		}
		if sealer, err = envelope.NewSealer(*c, envelope.Device{Certificate: cert, Hash: hash}); err != nil {
			return err
		}
		s.context = sealer.Context()
	}
	var err error
	if s.envelope, err = def.Seal(sealer); err != nil {
		return err
	}
	for _, name := range outputNames {
		b, err := s.file(name)
		if err != nil {
			return err
		}
		if b != nil {
			s.files = append(s.files, planner.File{Path: name, Mode: 0o644, Size: int64(len(b)), Digest: digest.FromBytes(b)})
		}
	}
	return nil
}

func (s *sealing) list() []planner.File { return s.files }

func (s *sealing) open(name string) (io.ReadCloser, error) {
	var b []byte
	var err error
	if name == planner.SealedFile {
		b, err = planner.EncodeSealed(s.state())
	} else {
		b, err = s.file(name)
	}
	return io.NopCloser(bytes.NewReader(b)), err
}

// file gives the bytes of an output; nil where it does not have it.
func (s *sealing) file(name string) ([]byte, error) {
	var m proto.Message
	ext := path.Ext(name)
	switch base := strings.TrimSuffix(name, ext); {
	case base == "context" && s.context == nil:
		return nil, nil
	case base == "context":
		m = s.context
	case base == "envelope":
		m = s.envelope
	default:
		m = s.config()
	}
	if ext == ".json" {
		return envelope.MarshalJSON(m)
	}
	return envelope.Marshal(m)
}

func (s *sealing) config() *evepb.EdgeDevConfig {
	c := &evepb.EdgeDevConfig{PatchEnvelopes: []*evepb.EvePatchEnvelope{s.envelope}}
	if s.context != nil {
		c.CipherContexts = []*evepb.CipherContext{s.context}
	}
	return c
}

// state is the record of what was sealed.
func (s *sealing) state() *planner.Sealed {
	e := s.plan
	out := &planner.Sealed{
		FormatVersion: planner.SealedVersion, Key: e.Key, Name: e.Name, UUID: e.UUID, Version: e.Version,
		Action: e.Action, Apps: e.Apps, Blobs: make(map[string]string), Created: s.created, Sensitive: e.Exposed(), Files: s.files,
	}
	for _, b := range e.Blobs {
		out.Blobs[b.Name] = b.Digest
	}
	for _, d := range e.Devices {
		if d.Name == s.change.Device {
			out.Device = d.Digest
		}
	}
	if e.Controller != nil {
		out.Controller = e.Controller.Digest
	}
	return out
}
