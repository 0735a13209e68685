package deflate

import (
	"bytes"
	"context"
	"errors"
)

// Identify opens a gzip file, or a ZIP archive (jar, wheel), and looks for the
// recipe that makes it again. The content is what the gzip file holds; of an
// archive it is the archive with the entries inflated for which a method was
// found, in their places. It is false for any other file, if the file is
// damaged, if the content is longer than limit bytes, and if no method is
// known. An error is that of ctx.
func Identify(ctx context.Context, compressed []byte, limit int64) (*Recipe, []byte, bool, error) {
	content := &limitedBuffer{limit: limit}
	var r *Recipe
	var ok bool
	var err error
	switch {
	case isGzip(compressed):
		r, ok, err = IdentifyLayer(ctx, bytes.NewReader(compressed), content)
	case isZip(compressed):
		r, ok, err = identifyZip(ctx, compressed, content)
	}
	if errors.Is(err, errLimit) {
		return nil, nil, false, nil
	}
	if !ok {
		return nil, nil, false, err
	}
	return r, content.Bytes(), true, nil
}

var errLimit = errors.New("the content is too long")

// A limitedBuffer takes no more than limit bytes.
type limitedBuffer struct {
	bytes.Buffer
	limit int64
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if int64(b.Len()+len(p)) > b.limit {
		return 0, errLimit
	}
	return b.Buffer.Write(p)
}
