package site

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/sign"
)

// maxSignatures bounds patch-description.json.sig in a patch's folder, in bytes.
const maxSignatures = 1 << 20

// again takes from a patch that the site has, and that is imported once more, the
// signatures that it did not have: a patch may be signed after its first copy
// went out. It says whether there were any.
func (i *importing) again(ctx context.Context) (_ *Record, signed bool, err error) {
	r, err := i.site.readRecord(i.h.Description.ID)
	if err != nil {
		return nil, false, err
	}
	if all, err := i.signatures(r); err != nil || all == nil {
		return r, false, err
	}
	unlock, err := i.site.Lock(ctx, "import of "+r.ID)
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if r, err = i.site.readRecord(r.ID); err != nil {
		return nil, false, err
	}
	all, err := i.signatures(r)
	if err != nil || all == nil {
		return r, false, err
	}
	return r, true, i.signAgain(r, all)
}

// signatures gives the signatures that the patch's folder is to have; nil where
// it has them, and the record tells what they are worth.
func (i *importing) signatures(r *Record) ([]byte, error) {
	entry, err := i.in.signature()
	if err != nil {
		return nil, err
	}
	name, err := i.site.patchPath(r.ID, patch.SignatureEntry)
	if err != nil {
		return nil, err
	}
	had, err := readFile(name, maxSignatures)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	all, err := joinSignatures(entry, had)
	switch {
	case err != nil || !bytes.Equal(all, had):
		return all, err
	case !i.policy:
		return nil, nil
	}
	return i.judged(r, all)
}

// judged gives the signatures where the record does not tell what the site's
// policy says of them, as when it is newer than the import; else nil.
func (i *importing) judged(r *Record, all []byte) ([]byte, error) {
	verdict, err := i.judge(all)
	if err != nil {
		return nil, err
	}
	was, err := encode(r.Verified.Signatures)
	if err != nil {
		return nil, err
	}
	is, err := encode(verdict)
	if err != nil || r.Verified.Policy && bytes.Equal(was, is) {
		return nil, err
	}
	return all, nil
}

// signAgain writes signatures, and what the site's policy says of them. The
// caller holds the lock.
func (i *importing) signAgain(r *Record, all []byte) error {
	verdict, err := i.judge(all)
	if err != nil {
		return err
	}
	e := Event{Time: orNow(i.o.Now), Action: ActionSign, By: i.o.By, Patch: r.ID, Detail: fmt.Sprintf("%d signatures", verdict.Signatures)}
	r.Verified.Signed = e.Time
	if i.policy || !r.Verified.Policy { // what a policy said stays true
		r.Verified.Policy, r.Verified.Signatures = i.policy, verdict
	}
	b, err := encode(r)
	if err != nil {
		return err
	}
	// The record goes last: it says that all of this has happened.
	return i.site.commit(e, func() error {
		if err := i.site.replace(r.ID, patch.SignatureEntry, all); err != nil {
			return err
		}
		return i.site.replace(r.ID, recordFile, b)
	})
}

// joinSignatures adds to the signatures of one entry those of an older one, as
// far as there is room. An older one that is damaged counts for nothing.
func joinSignatures(entry, older []byte) ([]byte, error) {
	all, err := sign.Decode(entry)
	if err != nil {
		return nil, err
	}
	had, err := sign.Decode(older)
	if err != nil {
		return entry, nil
	}
	for _, s := range all {
		if !slices.ContainsFunc(had, func(o sign.Signature) bool { return bytes.Equal(o, s) }) {
			had = append(had, s)
		}
	}
	if len(had) > sign.MaxSignatures {
		return entry, nil
	}
	return sign.Encode(had), nil
}

// replace writes a file of a patch's folder anew. Its temporary file stands
// where a crash's are looked for.
func (s *Site) replace(id, name string, b []byte) error {
	path, err := s.patchPath(id, name)
	if err != nil {
		return err
	}
	f, err := atomicfile.Create(s.dir, 0o666)
	if err != nil {
		return err
	}
	defer f.Abort()
	if _, err := f.Write(b); err != nil {
		return err
	}
	return f.Replace(path)
}
