package delta

import (
	"bytes"
	"testing"
)

// One index gives for each target what a search of its own gives, and tells the
// progress of each.
func TestIndex(t *testing.T) {
	noise := random(1, 300_000)
	bases := []Layer{layerOf(noise)}
	index, err := NewIndex(t.Context(), bases, Options{Parallel: 2})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, target := range [][]byte{append(noise[100_000:], "behind it"...), noise, nil, random(2, 1000)} {
			var shared bytes.Buffer
			var told int64
			if _, err := index.Create(t.Context(), &shared, layerOf(target), func(n int64) { told += n }); err != nil {
				t.Fatal(err)
			}
			if own := create(t, target, Options{}, bases...); !bytes.Equal(shared.Bytes(), own) {
				t.Errorf("index: %d bytes, own search: %d bytes", shared.Len(), len(own))
			}
			if told != int64(len(target)) {
				t.Errorf("progress tells of %d bytes of %d", told, len(target))
			}
		}
	}
}
