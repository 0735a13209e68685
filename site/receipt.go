package site

import (
	"errors"
	"fmt"
	"time"

	"github.com/flotobuild/flotobuild/patch"
)

// ErrNoActive is the error for what needs an active patch.
var ErrNoActive = errors.New("no patch is active")

// Receipt says what the site really has: the active patch, and every image that
// is complete in the store.
func (s *Site) Receipt(now time.Time) (*patch.Receipt, error) {
	r, err := s.receipt(now)
	if err != nil {
		return nil, fmt.Errorf("cannot make a receipt of site %q: %w", s.Name(), err)
	}
	return r, nil
}

func (s *Site) receipt(now time.Time) (*patch.Receipt, error) {
	a, err := s.readActive()
	if err != nil {
		return nil, err
	}
	if a.ID == "" {
		return nil, ErrNoActive
	}
	active, err := s.openPatch(a.ID)
	if err != nil {
		return nil, err
	}
	if err := s.checkWhole(active); err != nil {
		return nil, err
	}
	records, err := s.records()
	if err != nil {
		return nil, err
	}
	var images []patch.ReceiptImage
	for _, r := range records {
		dir, err := s.patchPath(r.ID)
		if err != nil {
			return nil, err
		}
		h, err := readHeader(dir)
		if err != nil {
			return nil, err
		}
		whole, err := s.wholeImages(h.Description)
		if err != nil {
			return nil, err
		}
		images = append(images, whole...)
	}
	return patch.NewReceipt(active.Header, patch.NewTime(orNow(now)), images), nil
}

// wholeImages lists those images of a patch that have all their blobs.
func (s *Site) wholeImages(d *patch.Description) ([]patch.ReceiptImage, error) {
	whole := &patch.Description{}
	for _, i := range d.Flotobuild.Images {
		one := &patch.Description{Flotobuild: patch.Additions{Images: []patch.Image{i}}}
		all, err := needs(one)
		if err != nil {
			return nil, err
		}
		missing, err := s.lacking(all)
		if err != nil {
			return nil, err
		}
		if len(missing) == 0 {
			whole.Flotobuild.Images = append(whole.Flotobuild.Images, i)
		}
	}
	return patch.ReceiptImages(whole), nil
}
