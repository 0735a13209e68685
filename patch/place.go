package patch

import (
	"errors"
	"fmt"
)

// place works out where each entry must begin, and compares: entries follow
// each other from the first byte and the directory follows the last, so that
// none overlap and nothing stands between them.
func (p *Reader) place() error {
	var off int64
	for _, f := range p.files {
		e := p.entries[f.Name]
		r := &record{
			name: f.Name, mode: e.Mode, modified: p.Description.CreationDate.Time, method: f.Method,
			crc: f.CRC32, size: e.Size, packed: int64(f.CompressedSize64), offset: off,
		}
		p.records = append(p.records, r)
		start := off + int64(len(r.local()))
		if start > p.size || f.CompressedSize64 > uint64(p.size-start) {
			return fmt.Errorf("entry %q reaches beyond the end of the file", f.Name)
		}
		got, err := f.DataOffset()
		if err != nil {
			return fmt.Errorf("entry %q: its local header is damaged: %w", f.Name, err)
		}
		if got != start {
			return fmt.Errorf("entry %q does not follow the one before it: they overlap, or something stands between them", f.Name)
		}
		off = start + r.packed
	}
	if off+int64(len(directory(p.records, off))) != p.size {
		return errors.New("the directory of the ZIP does not stand right behind the last entry: the file was damaged or changed by another tool")
	}
	return nil
}

// Volumes names the volumes that hold an entry, for messages about damage; nil
// where the file is not in volumes, or encrypted, so that places do not tell.
func (p *Reader) Volumes(name string) []string {
	if p.media == nil || p.media.Volumes == nil || p.media.Recipients != nil {
		return nil
	}
	l := &p.media.Volumes.Index.Layout
	for _, r := range p.records {
		if r.name != name {
			continue
		}
		var out []string
		for n := r.offset / l.Payload; n <= (r.end()-1)/l.Payload; n++ {
			out = append(out, l.FileName(int(n)))
		}
		return out
	}
	return nil
}
