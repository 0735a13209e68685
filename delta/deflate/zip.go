package deflate

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"slices"
)

func isZip(b []byte) bool { return bytes.HasPrefix(b, []byte("PK\x03\x04")) }

// A zipWalk goes through an archive from its first byte to its last.
type zipWalk struct {
	archive []byte
	at      int64 // up to which the recipe says the archive
	content *limitedBuffer
	stream  *stream
	found   bool
	recipe  Recipe
}

// identifyZip looks for the methods of an archive's entries. What lies between
// them, and entries without a method, are copied.
func identifyZip(ctx context.Context, archive []byte, content *limitedBuffer) (*Recipe, bool, error) {
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, false, nil //nolint:nilerr // A damaged archive is a file like others.
	}
	w := zipWalk{archive: archive, content: content, stream: newStream(nil, content)}
	for _, e := range entries(r, int64(len(archive))) {
		if err := w.entry(ctx, e); err != nil {
			return nil, false, err
		}
	}
	if err := w.copyTo(int64(len(archive))); err != nil {
		return nil, false, err
	}
	return &w.recipe, w.found, nil
}

// A span is where an entry's compressed bytes lie.
type span struct{ start, end int64 }

// entries are the places of deflated entries, in order. Archives may lie about
// them: places that do not fit, or overlap, are left out.
func entries(r *zip.Reader, size int64) []span {
	var all []span
	for _, f := range r.File {
		start, err := f.DataOffset()
		if err != nil || f.Method != zip.Deflate || f.CompressedSize64 > uint64(size) {
			continue
		}
		if e := (span{start, start + int64(f.CompressedSize64)}); start >= 0 && e.end <= size {
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b span) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end)) })
	return all
}

// entry takes an entry whose method is found into the recipe. Otherwise it is
// left for the next copy.
func (w *zipWalk) entry(ctx context.Context, e span) error {
	if e.start < w.at {
		return nil
	}
	before, length := w.at, w.content.Len()
	parts := len(w.recipe.parts)
	if err := w.copyTo(e.start); err != nil {
		return err
	}
	w.stream.reset(bytes.NewReader(w.archive[e.start:e.end]))
	found, ok, err := w.stream.deflate(ctx, hint{level: defaultLevel, last: w.stream.last})
	if err != nil {
		return err
	}
	if !ok || w.stream.at() != e.end-e.start {
		w.at = before
		w.content.Truncate(length)
		w.recipe.parts = w.recipe.parts[:parts]
		return nil
	}
	w.recipe.parts = append(w.recipe.parts, found)
	w.at = e.end
	w.found = true
	return nil
}

// copyTo copies the archive up to a place.
func (w *zipWalk) copyTo(end int64) error {
	if end == w.at {
		return nil
	}
	w.recipe.parts = append(w.recipe.parts, part{kind: partCopy, length: end - w.at})
	_, err := w.content.Write(w.archive[w.at:end])
	w.at = end
	return err
}
