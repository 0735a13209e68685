package project

// A Layout is what applying must know of the new file beforehand: for each
// section of the old one, how much further it is in the file, and in memory.
type Layout struct {
	Offset, Address []int64
}

// Compare gives the layout of the file old becomes: sections are told by their
// names. Those that are gone count as unmoved.
func Compare(old, now *Image) Layout {
	l := old.Unmoved()
	for i, s := range old.sections {
		if j := now.named(s.name, i); j >= 0 {
			l.Offset[i] = now.sections[j].offset - s.offset
			l.Address[i] = now.sections[j].address - s.address
		}
	}
	return l
}

// named gives the section of a name, preferably the one numbered near.
func (m *Image) named(name string, near int) int {
	best := -1
	for j := range m.sections {
		if m.sections[j].name == name && (best < 0 || max(j-near, near-j) < max(best-near, near-best)) {
			best = j
		}
	}
	return best
}

// Unmoved is the layout of a file that is as m.
func (m *Image) Unmoved() Layout {
	return Layout{make([]int64, len(m.sections)), make([]int64, len(m.sections))}
}

// Sections is how many sections a layout is for.
func (m *Image) Sections() int { return len(m.sections) }

// A Part says that bytes of the new file are like bytes of the old one.
// Offsets are in the files.
type Part struct {
	New, Old, Length int64
}
