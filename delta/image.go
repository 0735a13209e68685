package delta

import (
	"github.com/flotobuild/flotobuild/delta/match"
	"github.com/flotobuild/flotobuild/delta/project"
)

// An image is an executable that is made out of an older one.
type image struct {
	size   int64 // of the older one
	layout project.Layout
	parts  []operation // literals and matches
}

const (
	// maxImage bounds the executables that are compared as a whole.
	maxImage = 64 << 20
	// maxParts bounds what applying must keep of an image.
	maxParts = 1 << 19
)

func (m *image) cost() int {
	n := 64 + 20*len(m.layout.Offset)
	for _, o := range m.parts {
		n += cost(o)
	}
	return n
}

// image makes the segment as an executable, if it and its base are some.
func (d *differ) image(s segment) (done bool, err error) {
	if max(s.length, s.size) > min(maxImage, d.window*2) {
		return false, nil
	}
	d.check()
	t, b := room(&d.t, s.length), room(&d.b, s.size)
	if err := d.read(t, s.offset, b, s.base); err != nil {
		return false, err
	}
	from, ok := project.Parse(readerAt(b), s.size)
	to, ok2 := project.Parse(readerAt(t), s.length)
	if !ok || !ok2 {
		return false, nil
	}
	m := &image{size: s.size, layout: project.Compare(from, to)}
	matches := d.evenMatches(from, to)
	if len(matches) > maxParts {
		return false, nil
	}
	streams, err := d.streams(s, project.Streams(from, to))
	if err != nil {
		return false, err
	}
	m.parts = d.imageParts(s, from, m.layout, without(matches, streams, s.offset), streams)
	if m.cost() > maxBlock/2 {
		return false, nil
	}
	d.emit(operation{kind: opImage, offset: s.offset, length: s.length, base: s.base, image: m})
	return true, nil
}

// evenMatches finds matches where executables are alike but for addresses.
func (d *differ) evenMatches(from, to *project.Image) []match.Match {
	t, b := room(&d.evenT, int64(len(d.t))), room(&d.evenB, int64(len(d.b)))
	copy(t, d.t)
	copy(b, d.b)
	from.Even(b)
	to.Even(t)
	d.check()
	d.index.Reset(b, int(d.window/2))
	var out []match.Match
	for _, m := range match.Find(t, &d.index, match.Binary) {
		for ; m.Length > maxMatch; m = (match.Match{Target: m.Target + maxMatch, Base: m.Base + maxMatch, Length: m.Length - maxMatch}) {
			out = append(out, match.Match{Target: m.Target, Base: m.Base, Length: maxMatch})
		}
		out = append(out, m)
	}
	return out
}

// imageParts gives the matches with what differs from the prediction, and the
// literals between them.
func (d *differ) imageParts(s segment, from *project.Image, l project.Layout, matches []match.Match, streams []operation) []operation {
	d.check()
	parts := make([]project.Part, len(matches))
	for i, m := range matches {
		parts[i] = project.Part{New: int64(m.Target), Old: int64(m.Base), Length: int64(m.Length)}
	}
	whole := d.out
	defer func() { d.out = whole }()
	d.out = make([]operation, 0, 2*len(parts)+2*len(streams)+1) // growing it would leave several times as much garbage
	p := project.NewPredictor(from, l, parts)
	end := int64(0)
	fill := func(to int64) {
		for ; len(streams) > 0 && streams[0].offset-s.offset < to; streams = streams[1:] {
			d.literal(s.offset+end, streams[0].offset-s.offset-end)
			d.emit(streams[0])
			end = streams[0].offset - s.offset + streams[0].length
		}
		d.literal(s.offset+end, to-end)
	}
	for _, part := range parts {
		fill(part.New)
		o := operation{kind: opMatch, offset: s.offset + part.New, length: part.Length, base: s.base + part.Old}
		o.edits = d.predicted(p, part)
		d.emit(o)
		end = part.New + part.Length
	}
	fill(s.length)
	return d.out
}

// streams makes the compressed sections of what they hold, those that can be.
func (d *differ) streams(s segment, all []project.Stream) (ops []operation, err error) {
	whole := d.out
	defer func() { d.out = whole }()
	d.out = nil
	for _, z := range all {
		if z.To-z.From > maxInflated || z.OldTo-z.OldFrom > maxInflated {
			continue
		}
		if _, err := d.packed(d.t[z.From:z.To], s.offset+z.From, d.b[z.OldFrom:z.OldTo], s.base+z.OldFrom, formZlib); err != nil {
			return nil, err
		}
	}
	return d.out, nil
}

// without cuts what streams make out of matches; both are in order.
func without(matches []match.Match, streams []operation, offset int64) (out []match.Match) {
	for _, m := range matches {
		for len(streams) > 0 && int(streams[0].offset+streams[0].length-offset) <= m.Target {
			streams = streams[1:]
		}
		for _, z := range streams {
			from, to := int(z.offset-offset), int(z.offset+z.length-offset)
			if from >= m.End() {
				break
			}
			if from > m.Target {
				out = append(out, match.Match{Target: m.Target, Base: m.Base, Length: from - m.Target})
			}
			cut := min(to, m.End()) - m.Target
			m = match.Match{Target: m.Target + cut, Base: m.Base + cut, Length: m.Length - cut}
		}
		if m.Length > 0 {
			out = append(out, m)
		}
	}
	return out
}

// predicted gives what differs in a part from the prediction.
func (d *differ) predicted(p *project.Predictor, part project.Part) (edits []edit) {
	margin := int(min(part.Old, project.Margin))
	b := room(&d.scratch, int64(margin)+part.Length)
	copy(b, d.b[part.Old-int64(margin):][:len(b)])
	want := d.t[part.New:][:part.Length]
	done := margin
	p.Predict(part, b, margin, func(end int) {
		for ; done < end; done++ {
			if w := want[done-margin]; b[done] != w {
				edits = append(edits, edit{uint32(done - margin), w - b[done]})
				b[done] = w
			}
		}
	})
	return edits
}

// image writes an image's own fields and its parts.
func (w *builder) image(o operation) error {
	w.b.putUvarint(streamImages, o.image.size)
	for _, list := range [][]int64{o.image.layout.Offset, o.image.layout.Address} {
		last := int64(0)
		for _, v := range list {
			w.b.putVarint(streamImages, v-last)
			last = v
		}
	}
	w.at = o.base
	for _, part := range o.image.parts {
		if err := w.put(part); err != nil {
			return err
		}
	}
	w.at = o.base + o.image.size
	return nil
}
