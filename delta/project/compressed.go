package project

// compressionHeader is what stands before the bytes of a compressed section in
// ELF64.
const compressionHeader = 24

// A Stream is a compressed section, in the new file and in the old one; the
// latter is empty where there was none.
type Stream struct {
	From, To       int64
	OldFrom, OldTo int64
}

// Streams gives the compressed sections of the file now, in order, with those of
// the same name in the file old.
func Streams(old, now *Image) (all []Stream) {
	end := int64(0)
	for _, n := range now.order {
		s := &now.sections[n]
		if !s.compressed || s.end-s.offset <= compressionHeader || s.offset < end {
			continue
		}
		end = s.end
		stream := Stream{From: s.offset + compressionHeader, To: s.end}
		if i := old.named(s.name, n); i >= 0 {
			if o := &old.sections[i]; o.compressed && o.end-o.offset > compressionHeader {
				stream.OldFrom, stream.OldTo = o.offset+compressionHeader, o.end
			}
		}
		all = append(all, stream)
	}
	return all
}
