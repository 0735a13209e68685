package patch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/internal/strictjson"
	"github.com/flotobuild/flotobuild/internal/verify"
)

// ReceiptVersion is the version of receipts that this package writes, and the
// newest that it reads.
const ReceiptVersion = 1

// MaxReceipt bounds a receipt, in bytes: a description in base64, and a list.
const MaxReceipt = 2 * MaxDescription

// A Receipt is what a site says of itself: which patch is active there, and
// which images it really has. It stands for the patch as a parent of the next
// one, where the patch file is not at hand. See docs/patch-format.md.
type Receipt struct {
	ReceiptVersion int    `json:"receiptVersion"` // ReceiptVersion
	SiteName       string `json:"siteName"`
	CreationDate   Time   `json:"creationDate"` // of the receipt
	// Active is the patch that is active at the site.
	Active ParentRef `json:"active"`
	// Images are all that the site has, complete with their layers; sorted by
	// id. There may be more than the active patch requires.
	Images []ReceiptImage `json:"images"`
	// Description is the exact bytes of the active patch's description.
	Description []byte `json:"description"`
}

// A ReceiptImage is an image at the site: of a multi-platform one, a platform.
type ReceiptImage struct {
	Config  digest.Digest   `json:"config"`  // digest of its config
	DiffIDs []digest.Digest `json:"diffIds"` // of its layers, base first
}

// NewReceipt makes the receipt of a site where the patch of h is active and
// which has these images.
func NewReceipt(h *Header, created Time, images []ReceiptImage) *Receipt {
	images = slices.Clone(images)
	for i := range images {
		images[i].DiffIDs = orEmpty(images[i].DiffIDs)
	}
	slices.SortFunc(images, func(a, b ReceiptImage) int { return strings.Compare(string(a.Config), string(b.Config)) })
	images = slices.CompactFunc(images, func(a, b ReceiptImage) bool { return a.Config == b.Config })
	return &Receipt{
		ReceiptVersion: ReceiptVersion,
		SiteName:       h.Description.SiteName,
		CreationDate:   created,
		Active:         ParentRef{h.Description.ID, h.Digest},
		Images:         orEmpty(images),
		Description:    h.Raw(),
	}
}

// ReceiptImages lists the images of a description as a receipt does.
func ReceiptImages(d *Description) []ReceiptImage {
	var out []ReceiptImage
	for _, i := range d.Flotobuild.Images {
		for _, m := range i.Manifests {
			r := ReceiptImage{Config: m.Config.Digest}
			for _, l := range m.Layers {
				r.DiffIDs = append(r.DiffIDs, l.DiffID)
			}
			out = append(out, r)
		}
	}
	return out
}

// EncodeReceipt gives the bytes of a receipt: JSON indented by two spaces, with
// a newline at the end. SignReceipt signs them.
func EncodeReceipt(r *Receipt) ([]byte, error) {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("cannot encode receipt: %w", err)
	}
	return append(b, '\n'), nil
}

// DecodeReceipt reads a receipt and checks it: that the description is that of
// the active patch and of the site, and that the site has every image which the
// patch requires. Signatures have their form; ReceiptSignatures gives them to who
// can check them.
func DecodeReceipt(b []byte) (*Receipt, *Header, error) {
	r, h, err := decodeReceipt(b)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read receipt: %w", err)
	}
	return r, h, nil
}

func decodeReceipt(b []byte) (*Receipt, *Header, error) {
	if len(b) > MaxReceipt {
		return nil, nil, fmt.Errorf("it has %d bytes, and %d are the limit", len(b), MaxReceipt)
	}
	if err := strictjson.CheckKeys(b, freeMaps); err != nil {
		return nil, nil, err
	}
	r := new(Receipt)
	if err := json.Unmarshal(b, r); err != nil {
		return nil, nil, err
	}
	switch v := r.ReceiptVersion; {
	case v > ReceiptVersion:
		return nil, nil, fmt.Errorf("it has version %d and this flotobuild reads %d at most: take a newer flotobuild", v, ReceiptVersion)
	case v < 1:
		return nil, nil, errors.New("it has no receiptVersion")
	}
	if _, _, err := splitReceipt(b); err != nil {
		return nil, nil, err
	}
	h, err := DecodeHeader(r.Description)
	if err != nil {
		return nil, nil, err
	}
	return r, h, r.check(h)
}

func (r *Receipt) check(h *Header) error {
	switch {
	case r.Active != (ParentRef{h.Description.ID, h.Digest}):
		return fmt.Errorf("its description is not that of the active patch %q", r.Active.ID)
	case h.Description.SiteName != r.SiteName:
		return fmt.Errorf("its description is of site %q, and the receipt of site %q", h.Description.SiteName, r.SiteName)
	}
	has := make(map[digest.Digest][]digest.Digest)
	for n, i := range r.Images {
		if n > 0 && r.Images[n-1].Config >= i.Config {
			return fmt.Errorf("image %q stands out of order: images must be sorted by config, each once", i.Config)
		}
		for _, d := range append([]digest.Digest{i.Config}, i.DiffIDs...) {
			if err := verify.CheckDigest(d); err != nil {
				return fmt.Errorf("image %q: %w", i.Config, err)
			}
		}
		has[i.Config] = i.DiffIDs
	}
	return r.complete(h.Description, has)
}

// complete finds images that the site should have.
func (r *Receipt) complete(d *Description, has map[digest.Digest][]digest.Digest) error {
	var missing []string
	for _, i := range d.Flotobuild.Images {
		for _, want := range ReceiptImages(&Description{Flotobuild: Additions{Images: []Image{i}}}) {
			if ids, ok := has[want.Config]; !ok || !slices.Equal(ids, want.DiffIDs) {
				missing = append(missing, i.Name)
				break
			}
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("the site lacks images of its active patch (%s): import that patch there again, or make an initial patch", strings.Join(missing, ", "))
	}
	return nil
}

// DecodeHeader reads a patch-description.json that stands by itself, and checks
// it as that of a patch.
func DecodeHeader(b []byte) (*Header, error) {
	d, err := Decode(b)
	if err != nil {
		return nil, err
	}
	if err := d.Check(); err != nil {
		return nil, err
	}
	return &Header{d, digest.FromBytes(b), bytes.Clone(b)}, nil
}
