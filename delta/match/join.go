package match

// join stretches the runs into the gaps between them, over bytes of which most
// are equal, and makes one match of runs of the same alignment that meet.
func (f *finder) join() []Match {
	out := f.runs[:0]
	for i, r := range f.runs {
		if i == 0 {
			n := f.backward(0, r.Target, r.Base)
			out = append(out, Match{r.Target - n, r.Base - n, r.Length + n})
			continue
		}
		last := &out[len(out)-1]
		ahead, back := f.stretch(last, r)
		last.Length += ahead
		r = Match{r.Target - back, r.Base - back, r.Length + back}
		if last.End() == r.Target && last.Base+last.Length == r.Base {
			last.Length += r.Length
		} else {
			out = append(out, r)
		}
	}
	if len(out) > 0 {
		last := &out[len(out)-1]
		last.Length += f.forward(last.End(), last.Base+last.Length, len(f.target)-last.End())
	}
	return out
}

// stretch says how far a reaches ahead and how far b reaches back, b being the
// next run. Where both claim bytes, each gets those that fit it better.
func (f *finder) stretch(a *Match, b Match) (ahead, back int) {
	from, baseFrom := a.End(), a.Base+a.Length
	gap := b.Target - from
	if gap == 0 {
		return 0, 0
	}
	if baseFrom+gap == b.Base {
		differ := gap - equal(f.target[from:b.Target], f.base[baseFrom:b.Base])
		if differ*costEdit <= gap*f.o.Byte+2*costMatch {
			return gap, 0
		}
	}
	ahead = f.forward(from, baseFrom, gap)
	back = f.backward(from, b.Target, b.Base)
	over := ahead + back - gap
	if over <= 0 {
		return ahead, back
	}
	keep := f.divide(from+gap-back, baseFrom+gap-back, b.Base-back, over)
	return gap - back + keep, back - keep
}

// divide gives how many of n bytes from i on go with the base at x, while those
// behind go with the base at y.
func (f *finder) divide(i, x, y, n int) (keep int) {
	score, best := 0, 0
	for j := range n {
		if f.target[i+j] == f.base[x+j] {
			score++
		}
		if f.target[i+j] == f.base[y+j] {
			score--
		}
		if score > best {
			best, keep = score, j+1
		}
	}
	return keep
}

// forward is how many of at most n bytes from i on are to go with the base from
// x on: as long as that costs less than literals.
func (f *finder) forward(i, x, n int) (length int) {
	score, best := 0, 0
	for j := 0; j < n && x+j < len(f.base); j++ {
		if f.target[i+j] == f.base[x+j] {
			score += f.o.Byte
		} else {
			score -= costEdit - f.o.Byte
		}
		if score > best {
			best, length = score, j+1
		}
		if score < best-limit {
			break
		}
	}
	return length
}

// backward is the same from target[i-1] and base[x-1] down to target[stop].
func (f *finder) backward(stop, i, x int) (length int) {
	score, best := 0, 0
	for j := 1; i-j >= stop && x-j >= 0; j++ {
		if f.target[i-j] == f.base[x-j] {
			score += f.o.Byte
		} else {
			score -= costEdit - f.o.Byte
		}
		if score > best {
			best, length = score, j
		}
		if score < best-limit {
			break
		}
	}
	return length
}

// limit ends a stretch that has cost too much for too long, in sixteenths of a
// bit.
const limit = 4096
