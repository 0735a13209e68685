package planner

import (
	"context"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/envelope"
	"github.com/flotobuild/flotobuild/lang"
)

// EnvelopeFacts is a Facts that reads what envelopes need.
type EnvelopeFacts interface {
	// Small reads a regular file of at most a few hundred kilobytes, such as a
	// certificate or a key, and tells its permissions.
	Small(ctx context.Context, name string) ([]byte, fs.FileMode, error)
	// Sealed reads what the output in a folder was sealed from, and tells
	// whether its files are as they were written. It is nil where there is none
	// of this version.
	Sealed(ctx context.Context, folder string) (last *Sealed, intact bool, err error)
	// Volume reads what the file of a volume was made from, and tells whether it
	// is as it was written. It is nil where there is none of this version.
	Volume(ctx context.Context, id string) (last *VolumeRecord, intact bool, err error)
	// Strays lists the outputs with a record that are not known.
	Strays(ctx context.Context, known func(path string) bool) ([]Stray, error)
}

// envelopeFacts is what is known of one envelope.
type envelopeFacts struct {
	lang       *lang.Envelope
	definition *envelope.Definition
	pinned     *Envelope
	controller *envelope.Controller // nil where nothing is encrypted
}

// gatherEnvelopes pins the inputs of all envelopes, and judges what each device
// would get.
func (r *resolver) gatherEnvelopes(ctx context.Context) hcl.Diagnostics {
	facts, ok := r.facts.(EnvelopeFacts)
	if len(r.cfg.Envelopes) == 0 {
		if !ok {
			return nil
		}
		return r.gatherStrays(ctx, facts)
	}
	if !ok || len(r.opts.DigestKey) == 0 {
		return hcl.Diagnostics{problem(r.cfg.Envelopes[0].Range, "Cannot plan envelopes", "Here are no means to read certificates, keys and what was sealed before.")}
	}
	var tasks []task
	for _, e := range r.cfg.Envelopes {
		f := &envelopeFacts{lang: e, definition: definition(e)}
		r.envelopes = append(r.envelopes, f)
		tasks = append(tasks, func(ctx context.Context) hcl.Diagnostics { return of(r.gatherEnvelope(ctx, facts, f), e.Address()) })
	}
	diags := runAll(ctx, tasks)
	tasks = nil
	for _, f := range r.envelopes {
		for n := range f.lang.Devices {
			tasks = append(tasks, func(ctx context.Context) hcl.Diagnostics {
				return of(r.gatherDevice(ctx, facts, f, n), f.lang.Address()+".device."+f.lang.Devices[n].Name)
			})
		}
	}
	diags = append(diags, runAll(ctx, tasks)...)
	diags = append(diags, r.gatherVolumes(ctx, facts)...)
	diags = append(diags, r.gatherStrays(ctx, facts)...)
	return append(diags, r.checkDevices()...)
}

func (r *resolver) gatherEnvelope(ctx context.Context, facts EnvelopeFacts, f *envelopeFacts) hcl.Diagnostics {
	e := f.lang
	p := &Envelope{
		Address: e.Address(), Name: e.Name, UUID: e.UUID, Version: e.Version, Action: EnvelopeStore, Apps: e.Apps,
		Devices: make([]EnvelopeDevice, len(e.Devices)), Key: KeyID(r.opts.DigestKey),
	}
	f.pinned = p
	if e.Activate {
		p.Action = EnvelopeActivate
	}
	var diags hcl.Diagnostics
	for n := range e.Blobs {
		b, d := r.gatherBlob(ctx, f, n)
		p.Blobs = append(p.Blobs, b)
		if d != nil {
			diags = append(diags, d)
			f.definition.Blobs[n].Content = standIn(unread) // so that the others are judged
		}
		if b.Sensitive {
			diags = append(diags, exposed(e.Blobs[n]))
		}
	}
	p.Size, _ = f.definition.Size() // what cannot be encoded is told with the limits
	if e.Encrypts() && e.Controller != nil {
		diags = append(diags, r.gatherController(ctx, facts, f)...)
	}
	return diags
}

func (r *resolver) gatherBlob(ctx context.Context, f *envelopeFacts, n int) (EnvelopeBlob, *hcl.Diagnostic) {
	b, d := f.lang.Blobs[n], &f.definition.Blobs[n]
	out := EnvelopeBlob{Name: b.Name, Size: int64(len(b.Content))}
	for name, on := range map[string]bool{"content": b.EncryptContent, "metadata": b.EncryptMetadata} {
		if on {
			out.Encrypt = append(out.Encrypt, name)
		}
	}
	slices.Sort(out.Encrypt)
	if b.Volume != nil {
		out.Volume = &EnvelopeVolume{ID: b.Volume.ID, Image: b.Volume.Image}
	}
	out.Sensitive = b.Sensitive && !b.EncryptContent
	if b.Image != nil {
		out.Image = b.Image.Address()
		return out, nil // see pinImages
	}
	content := digest.FromBytes(b.Content)
	if b.Source != nil {
		out.Source = b.Source.Name
		var err error
		if content, out.Size, err = r.facts.File(ctx, b.Source.Name); err != nil {
			return out, fileProblem(orRange(b.Source.Range, b.Range), "blob", b.Source.Name, err)
		}
		if b.Volume == nil {
			if d.Content = standIn(out.Size); d.Content == nil && out.Size > 0 {
				return out, problem(b.Source.Range, "Inline blob too large", fmt.Sprintf(
					"The blob %q has %d bytes, and devices take %d bytes of base64. Put it into a volume.", b.Name, out.Size, envelope.MaxInline))
			}
		}
	}
	var err error
	if out.Digest, err = BlobDigest(r.opts.DigestKey, *d, content); err != nil {
		return out, problem(b.Range, "Cannot pin blob", sentence(err))
	}
	return out, nil
}

// exposed warns of content that was meant to be a secret.
func exposed(b *lang.Blob) *hcl.Diagnostic {
	d := problem(b.Range, "Sensitive content in the clear", fmt.Sprintf(
		"The content of the blob %q comes from a sensitive value, and the envelope holds it in the clear. Encrypt it with encrypt = [\"content\"]. The files of the outputs are for their owner alone meanwhile; patches that carry them are not.", b.Name))
	d.Severity = hcl.DiagWarning
	return d
}

// unread is the size that a blob counts with where it cannot be read: one without
// problems.
const unread = 64

// standIn gives as many bytes as a file has, since only the length counts for
// limits; nil where they are far beyond them.
func standIn(size int64) []byte {
	const most = 1 << 20
	if size > most {
		return nil
	}
	return make([]byte, size)
}

func (r *resolver) gatherController(ctx context.Context, facts EnvelopeFacts, f *envelopeFacts) hcl.Diagnostics {
	c := f.lang.Controller
	out := &envelope.Controller{Hash: c.Hash}
	key, mode, err := facts.Small(ctx, c.Key.Name)
	if err != nil {
		return hcl.Diagnostics{fileProblem(c.Key.Range, "private key", c.Key.Name, err)}
	}
	var diags hcl.Diagnostics
	if mode.Perm()&0o077 != 0 {
		d := problem(c.Key.Range, "Private key open to others", fmt.Sprintf("Others on this machine can use %q (mode %04o). Mend it with: chmod 600 %s", c.Key.Name, mode.Perm(), c.Key.Name))
		d.Severity = hcl.DiagWarning
		diags = append(diags, d)
	}
	if out.Key, err = envelope.ParsePrivateKey(key); err != nil {
		return append(diags, problem(c.Key.Range, "Invalid private key", fmt.Sprintf("%q: %s", c.Key.Name, sentence(err))))
	}
	p := &EnvelopeController{Key: c.Key.Name, Hash: hex.EncodeToString(c.Hash)}
	known := c.Hash
	if c.Certificate != nil {
		p.Certificate = c.Certificate.Name
		var d *hcl.Diagnostic
		if out.Certificate, d = readCertificate(ctx, facts, c.Certificate); d != nil {
			return append(diags, d)
		}
		if !out.Certificate.Key().Equal(out.Key.PublicKey()) {
			return append(diags, problem(c.Key.Range, "Key of another certificate",
				fmt.Sprintf("The key %q does not belong to the certificate %q. Name the two that belong together.", c.Key.Name, c.Certificate.Name)))
		}
		if known == nil {
			known = out.Certificate.ControllerHash()
		}
		if path.Clean(c.Certificate.Name) != path.Clean(c.Key.Name) { // which does not travel
			diags = append(diags, keyBeside(out.Certificate, c.Certificate)...)
		}
	}
	p.Digest = digest.FromBytes(append(slices.Clone(known), out.Key.PublicKey().Bytes()...))
	f.controller, f.pinned.Controller = out, p
	return diags
}

func readCertificate(ctx context.Context, facts EnvelopeFacts, p *lang.Path) (*envelope.Certificate, *hcl.Diagnostic) {
	b, _, err := facts.Small(ctx, p.Name)
	if err != nil {
		return nil, fileProblem(p.Range, "certificate", p.Name, err)
	}
	c, err := envelope.ParseCertificate(b)
	if err != nil {
		return nil, problem(p.Range, "Invalid certificate", fmt.Sprintf("%q: %s", p.Name, sentence(err)))
	}
	return c, nil
}

// keyBeside warns of a private key in the file of a certificate.
func keyBeside(c *envelope.Certificate, p *lang.Path) hcl.Diagnostics {
	if !c.HoldsPrivateKey() {
		return nil
	}
	d := problem(p.Range, "Private key beside a certificate", fmt.Sprintf(
		"%q holds a private key, too, and certificates travel in the conf/ of patches. Name a file with the certificate alone.", p.Name))
	d.Severity = hcl.DiagWarning
	return hcl.Diagnostics{d}
}

// gatherDevice reads a device's certificate and what it got last.
func (r *resolver) gatherDevice(ctx context.Context, facts EnvelopeFacts, f *envelopeFacts, n int) hcl.Diagnostics {
	d, out := f.lang.Devices[n], &f.pinned.Devices[n]
	out.Name = d.Name
	var err error
	if out.last, out.intact, err = facts.Sealed(ctx, EnvelopeFolder(f.lang.Name, d.Name)); err != nil {
		return hcl.Diagnostics{problem(d.Range, "Cannot read sealed envelope", sentence(err))}
	}
	if !f.lang.Encrypts() || d.Certificate == nil {
		return nil
	}
	cert, diag := readCertificate(ctx, facts, d.Certificate)
	if diag != nil {
		return hcl.Diagnostics{diag}
	}
	diags := keyBeside(cert, d.Certificate)
	if !cert.Canonical() && d.Hash == nil {
		w := problem(d.Certificate.Range, "Certificate in another form", fmt.Sprintf(
			"%q is not the file as a device writes it, and the device may not know its hash. Take the file from the device, or set hash.", d.Certificate.Name))
		w.Severity = hcl.DiagWarning
		diags = append(diags, w)
	}
	if f.controller == nil { // its problems have been told
		return diags
	}
	if _, err := envelope.NewSealer(*f.controller, envelope.Device{Certificate: cert, Hash: d.Hash}); err != nil {
		return append(diags, problem(d.Certificate.Range, "Cannot encrypt for device", sentence(err)))
	}
	known := d.Hash
	if known == nil {
		known = cert.DeviceHash()
	}
	out.Certificate, out.Hash = d.Certificate.Name, hex.EncodeToString(d.Hash)
	out.Digest = digest.FromBytes(append(slices.Clone(known), cert.Key().Bytes()...))
	return diags
}

// keepEnvelopes parts the errors of envelopes from their warnings.
func (r *resolver) keepEnvelopes(errs *hcl.Diagnostics, found hcl.Diagnostics) {
	for _, d := range found {
		if d.Severity == hcl.DiagError {
			*errs = append(*errs, d)
		} else {
			r.warnings = append(r.warnings, d)
		}
	}
}
