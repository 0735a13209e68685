package patch

import (
	"bytes"
	"hash/crc32"
	"slices"
	"strings"
	"testing"
)

// spoiled makes a patch whose records of the ZIP are changed by spoil before
// they are written; data goes with them.
func spoiled(t *testing.T, spoil func(records []*record, data [][]byte)) []byte {
	d, entries := forgery(t)
	entries = withDescription(t, d, entries)
	records, data := make([]*record, len(entries)), make([][]byte, len(entries))
	for i, e := range entries {
		records[i] = &record{
			name: e.name, mode: e.mode, modified: d.CreationDate.Time, crc: crc32.ChecksumIEEE([]byte(e.data)),
			size: int64(len(e.data)), packed: int64(len(e.data)),
		}
		data[i] = []byte(e.data)
	}
	spoil(records, data)
	var b []byte
	for i, r := range records {
		if r.offset == 0 {
			r.offset = int64(len(b))
		}
		b = append(append(b, r.local()...), data[i]...)
	}
	return append(b, directory(records, int64(len(b)))...)
}

func find(records []*record, name string) int {
	return slices.IndexFunc(records, func(r *record) bool { return r.name == name })
}

// What is wrong with the ZIP itself is refused when the file is opened: nothing
// can have been written by then.
func TestHostileZip(t *testing.T) {
	const victim = "conf/plant.hcl"
	cases := map[string]struct {
		spoil func(records []*record, data [][]byte)
		want  string
	}{
		"overlapping": {func(r []*record, _ [][]byte) {
			r[find(r, victim)].offset = 1 // where another entry's bytes are
		}, "entry"},
		"shared data": {func(r []*record, _ [][]byte) {
			r[find(r, "conf/Prüfung.txt")].offset = r[0].offset + int64(len(r[0].local())) + r[0].packed
		}, "does not follow"},
		"gap": {func(r []*record, data [][]byte) {
			data[0] = append(data[0], "stowaway"...)
		}, ""},
		"2^32 bytes stored": {func(r []*record, _ [][]byte) {
			v := r[find(r, victim)]
			v.size, v.packed = 1<<32, 1<<32
		}, "4294967296 bytes, and the description says"},
		"2^63 bytes": {func(r []*record, _ [][]byte) {
			v := r[find(r, victim)]
			v.size, v.packed = -1, -1
		}, ""},
		"packed beyond the end": {func(r []*record, data [][]byte) {
			i := find(r, victim)
			packed, err := r[i].deflate(data[i])
			if err != nil {
				panic(err)
			}
			data[i] = packed
			r[i].packed = 1 << 32
		}, "beyond the end"},
		"unknown method": {func(r []*record, _ [][]byte) { r[find(r, victim)].method = 93 }, "method 93"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := spoiled(t, c.spoil)
			_, err := NewReader(bytes.NewReader(b), int64(len(b)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// An entry that unpacks to more than is listed is cut off there; one that is
// listed with as much as it unpacks to is refused when it is large.
func TestBomb(t *testing.T) {
	zeros := make([]byte, maxDeflate+1)
	b := spoiled(t, func(r []*record, data [][]byte) {
		i := find(r, "conf/plant.hcl")
		size, crc := r[i].size, r[i].crc
		packed, err := r[i].deflate(zeros)
		if err != nil {
			t.Fatal(err)
		}
		data[i], r[i].size, r[i].crc = packed, size, crc
	})
	if _, err := unpack(b); err == nil || !strings.Contains(err.Error(), "more than the") {
		t.Errorf("unpacking to more: %v", err)
	}
	if check(t, b) == nil {
		t.Error("Verify has not noticed")
	}
	s := newSite(t)
	s.conf["conf/zeros"] = string(zeros)
	d := s.describe(1, []Image{s.image("control", s.layer("a", "a"))})
	var out []byte
	var records []*record
	for _, e := range withDescription(t, d, s.forged(d)) {
		r := &record{
			name: e.name, mode: e.mode, modified: d.CreationDate.Time, crc: crc32.ChecksumIEEE([]byte(e.data)),
			size: int64(len(e.data)), packed: int64(len(e.data)), offset: int64(len(out)),
		}
		content := []byte(e.data)
		if e.name == "conf/zeros" {
			var err error
			if content, err = r.deflate(content); err != nil {
				t.Fatal(err)
			}
		}
		records = append(records, r)
		out = append(append(out, r.local()...), content...)
	}
	out = append(out, directory(records, int64(len(out)))...)
	if _, err := NewReader(bytes.NewReader(out), int64(len(out))); err == nil || !strings.Contains(err.Error(), "must be stored") {
		t.Errorf("large and deflated: %v", err)
	}
}
