package volume

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Damage that shows only in what was read is found, and made up for as far as
// volumes that are missing leave parity for it.
func TestMend(t *testing.T) {
	b := content(300_000)
	paths := exactly(t, b, 4, 2)
	for _, c := range []struct{ missing, damaged []int }{
		{nil, nil},
		{nil, []int{0}},
		{nil, []int{3, 5}},
		{[]int{2}, []int{1}},
		{[]int{4}, []int{0}},
		{[]int{2}, []int{0, 1}},
		{nil, []int{0, 1, 4}},
		{[]int{1, 2}, []int{5}},
	} {
		restore := save(t, paths)
		var names []string
		for _, n := range c.missing {
			os.Remove(paths[n])
		}
		for _, n := range c.damaged {
			names = append(names, filepath.Base(paths[n]))
			if err := change(paths[n], func(b []byte) []byte { b[len(b)/4] ^= 1; return b }); err != nil {
				t.Fatal(err)
			}
		}
		r, err := Open(filepath.Dir(paths[0]))
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(b))
		_, err = r.ReadAt(got, 0) // restored from damaged volumes, and kept
		if bytes.Equal(got, b) && slices.ContainsFunc(c.damaged, func(n int) bool { return n < 4 }) {
			t.Errorf("%v: read right before (%v)", c, err)
		}
		mended, err := r.Mend(t.Context())
		if len(c.missing)+len(c.damaged) > 2 {
			for _, n := range names {
				if err == nil || !strings.Contains(err.Error(), n) {
					t.Errorf("%v: %v does not name %s", c, err, n)
				}
			}
		} else {
			if _, rerr := r.ReadAt(got, 0); err != nil || !slices.Equal(mended, names) || rerr != nil || !bytes.Equal(got, b) {
				t.Errorf("%v: mended %q, %v, %v, equal: %v", c, mended, err, rerr, bytes.Equal(got, b))
			}
			if again, err := r.Mend(t.Context()); len(again) > 0 || err != nil {
				t.Errorf("%v: again %q, %v", c, again, err)
			}
		}
		r.Close()
		restore()
	}
}

func TestMendWhileReading(t *testing.T) {
	b := content(100_000)
	paths := exactly(t, b, 3, 1)
	if err := change(paths[1], func(b []byte) []byte { b[9] ^= 1; return b }); err != nil {
		t.Fatal(err)
	}
	r, err := Open(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Mend(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			got := make([]byte, len(b))
			if _, err := r.Mend(t.Context()); err != nil {
				t.Error(err)
			}
			if _, err := r.ReadAt(got, 0); err != nil || !bytes.Equal(got, b) {
				t.Errorf("%v, equal: %v", err, bytes.Equal(got, b))
			}
		})
	}
	all.Wait()
}
