package legacy

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/patch"
)

// A Report says what Verify checked and what it found.
type Report struct {
	ID       string `json:"id"`
	SiteName string `json:"siteName"`
	Naming   string `json:"naming"`  // form of the id
	Size     int64  `json:"size"`    // bytes of the file
	Entries  int    `json:"entries"` // whose check sum was compared
	Bytes    int64  `json:"bytes"`   // of those entries
	Images   int    `json:"images"`  // required
	Layers   int    `json:"layers"`  // carried, and read as tar files
	Required int    `json:"requiredIds"`
	Carried  int    `json:"containedIds"`
	ParentID string `json:"parentId,omitempty"`
	// Complete tells that every layer of every image was at hand.
	Complete bool     `json:"complete"`
	Problems []string `json:"problems,omitempty"`
}

// Unchecked says what no check of such a file can show.
const Unchecked = "no digests in this generation: content is compared with CRC-32 only, which shows damage and not intent"

// VerifyOptions say what Verify may use.
type VerifyOptions struct {
	// Parents are the patches below the one that is checked.
	Parents []*Reader
}

// maxProblems bounds what a report lists.
const maxProblems = 100

type verification struct {
	p        *Reader
	report   Report
	problems []error
}

func (v *verification) problem(err error) {
	if len(v.problems) < maxProblems {
		v.problems = append(v.problems, err)
	}
}

// Verify checks what can be checked of a patch of floto: the check sum of each
// entry, that layers are tar files, that each image has all layers down to the
// lowest, and the lists of the description. It goes on after a problem; the
// error joins all of them. The report is nil only when ctx is done.
func Verify(ctx context.Context, p *Reader, o VerifyOptions) (*Report, error) {
	d := p.Description
	v := &verification{p: p, report: Report{
		ID: d.ID, SiteName: d.SiteName, Naming: d.Naming(), Size: p.size, Images: len(d.ImageMap),
		Required: len(d.RequiredImageIDs), Carried: len(d.ContainedImageIDs), ParentID: d.ParentID,
	}}
	for _, name := range p.order {
		if err := v.entry(ctx, name); err != nil {
			v.problem(err)
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	v.root()
	v.carried()
	v.images(newSet(append([]*Reader{p}, o.Parents...)...))
	for _, err := range v.problems {
		v.report.Problems = append(v.report.Problems, err.Error())
	}
	return &v.report, errors.Join(v.problems...)
}

// entry reads an entry to its end.
func (v *verification) entry(ctx context.Context, name string) error {
	r, err := v.p.Open(name)
	if err != nil {
		return err
	}
	defer r.Close()
	isLayer := strings.HasPrefix(name, imagesDir) && strings.HasSuffix(name, "/"+layerFile)
	if isLayer {
		if _, err := readTar(ctx, r); err != nil {
			return fmt.Errorf("entry %q is no tar file: %w", name, err)
		}
	}
	if _, err := verify.Copy(ctx, io.Discard, r); err != nil {
		return err
	}
	if isLayer {
		v.report.Layers++
	}
	v.report.Entries++
	v.report.Bytes += int64(v.p.files[name].UncompressedSize64)
	return nil
}

// readTar goes through a tar file and counts its entries.
func readTar(ctx context.Context, r io.Reader) (int, error) {
	t := tar.NewReader(verify.ContextReader(ctx, r))
	for n := 0; ; n++ {
		if _, err := t.Next(); err == io.EOF {
			return n, nil
		} else if err != nil {
			return n, err
		}
	}
}

func (v *verification) root() {
	if want := patch.ConfDir + v.p.Description.RootDefinitionFile; v.p.files[want] == nil {
		v.problem(fmt.Errorf("entry %q, which rootDefinitionFile names, is missing", want))
	}
}

// carried compares the folders of layers with what the description says.
func (v *verification) carried() {
	d := v.p.Description
	got, want := v.p.contained(), slices.Sorted(slices.Values(d.ContainedImageIDs))
	for _, id := range want {
		if !slices.Contains(got, id) {
			v.problem(fmt.Errorf("layer %q is in containedImageIds and not in the file", id))
		}
		if !slices.Contains(d.RequiredImageIDs, id) {
			v.problem(fmt.Errorf("layer %q is in containedImageIds and not in requiredImageIds", id))
		}
	}
	for _, id := range got {
		if !slices.Contains(want, id) {
			v.problem(fmt.Errorf("layer %q is in the file and not in containedImageIds", id))
		}
		if _, err := v.p.layer(id); err != nil {
			v.problem(err)
		}
	}
	if d.ParentID == "" && len(want) < len(d.RequiredImageIDs) {
		v.problem(errors.New("the patch has no parent and does not contain all that it requires"))
	}
}

// images follows each image down to its lowest layer.
func (v *verification) images(s *set) {
	d := v.p.Description
	needed := make(map[string]bool)
	v.report.Complete = true
	for _, name := range slices.Sorted(maps.Keys(d.ImageMap)) {
		layers, err := chain(d.ImageMap[name], s.layer)
		if err != nil {
			v.report.Complete = false
			if d.ParentID == "" || !errors.Is(err, errNotAtHand) {
				v.problem(fmt.Errorf("image %q: %w", name, err))
			}
			continue
		}
		for _, l := range layers {
			needed[l.id] = true
			if !slices.Contains(d.RequiredImageIDs, l.id) {
				v.problem(fmt.Errorf("image %q needs layer %q, which is not in requiredImageIds", name, l.id))
			}
		}
	}
	for _, id := range d.RequiredImageIDs {
		if v.report.Complete && !needed[id] {
			v.problem(fmt.Errorf("layer %q is in requiredImageIds, and no image needs it", id))
		}
	}
}
