package deflate

import (
	"bytes"
	"context"
	"errors"
)

// Identify inflates a gzip file and looks for the recipe that makes it again.
// It is false for what is no gzip file, is damaged, holds more than limit
// bytes, or was made by no encoder that is known. An error is that of ctx.
func Identify(ctx context.Context, compressed []byte, limit int64) (*Recipe, []byte, bool, error) {
	if !isGzip(compressed) {
		return nil, nil, false, nil
	}
	content := &limitedBuffer{limit: limit}
	r, ok, err := IdentifyLayer(ctx, bytes.NewReader(compressed), content)
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
