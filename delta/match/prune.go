package match

// What things cost, in sixteenths of a bit, as the coders of deltas have it in
// the mean.
const (
	costEdit  = 170 // of a byte that differs
	costMatch = 250 // of a match, which ends a literal, and of its length
	costSeek  = 220 // of a new alignment
	costNear  = 120 // of one that is near to the last
)

// prune drops matches that cost more than the literals in their place.
func (f *finder) prune(all []Match) []Match {
	out := all[:0]
	for i, m := range all {
		if f.worth(out, m, all[i+1:]) {
			out = append(out, m)
		}
	}
	return out
}

func (f *finder) worth(before []Match, m Match, behind []Match) bool {
	same := equal(f.target[m.Target:m.End()], f.base[m.Base:m.Base+m.Length])
	gain := m.Length*f.o.Byte - (m.Length-same)*costEdit - costMatch
	if len(before) > 0 {
		last := before[len(before)-1]
		gain -= seekCost(m.Base - (last.Base + last.Length))
		if last.End() == m.Target && len(behind) > 0 && behind[0].Target == m.End() {
			gain += costMatch // there is no literal to go on with
		}
	}
	return gain > 0
}

func seekCost(n int) int {
	switch {
	case n == 0:
		return 16
	case n > -256 && n < 256:
		return costNear
	}
	return costSeek
}
