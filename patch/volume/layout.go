package volume

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// MaxData is the most data volumes that a set has: three digits.
	MaxData = 999
	// MaxWithParity is the most volumes of a set that has parity: the elements
	// of GF(2⁸).
	MaxWithParity = 256

	maxSize = 1<<53 - 1 // what every JSON reader can count
	maxName = 255 - len(".p001")
)

// A Layout says how a file is split.
type Layout struct {
	Name    string // of the file, without a folder
	Size    int64  // of the file in bytes, at least 1
	Payload int64  // bytes of the file in each data volume but the last
	Data    int    // volumes with the file's bytes
	Parity  int    // volumes with parity
}

// NewLayout splits a file of size bytes into volumes of at most volumeSize
// bytes, index and footer included, and adds parity volumes of the same size.
func NewLayout(name string, size, volumeSize int64, parity int) (*Layout, error) {
	l := &Layout{Name: name, Size: size, Payload: volumeSize, Data: 1, Parity: parity}
	if err := checkFile(name, size); err != nil {
		return nil, fmt.Errorf("cannot split %q: %w", name, err)
	}
	if parity < 0 || parity >= MaxWithParity {
		return nil, fmt.Errorf("cannot split %q: %d parity volumes are impossible: there can be 0 to %d", name, parity, MaxWithParity-1)
	}
	if volumeSize > maxSize {
		volumeSize = maxSize
	}
	// The index grows with the number of volumes, and their number with it.
	for {
		l.Payload = volumeSize
		payload := volumeSize - l.overhead()
		if payload <= 0 {
			return nil, l.tooSmall(volumeSize)
		}
		data := (size + payload - 1) / payload
		if data > int64(l.maxData()) {
			return nil, l.tooSmall(volumeSize)
		}
		if int(data) <= l.Data {
			l.Payload = min(payload, size)
			return l, nil
		}
		l.Data = int(data)
	}
}

// maxData is the most data volumes beside the set's parity.
func (l *Layout) maxData() int {
	if l.Parity > 0 {
		return MaxWithParity - l.Parity
	}
	return MaxData
}

// tooSmall tells of the smallest volumes that would do.
func (l *Layout) tooSmall(volumeSize int64) error {
	most := *l
	most.Data = l.maxData()
	least := (l.Size+int64(most.Data)-1)/int64(most.Data) + most.overhead()
	what := fmt.Sprintf("there can be %d", most.Data)
	if l.Parity > 0 {
		what += fmt.Sprintf(" beside %d of parity", l.Parity)
	}
	return fmt.Errorf("cannot split %q into volumes of %d bytes: a file of %d bytes would need too many, %s; volumes of %d bytes would do", l.Name, volumeSize, l.Size, what, least)
}

// overhead is the size of index and footer, without making them: those of a
// single volume, and a line for each further digest.
func (l *Layout) overhead() int64 {
	one := *l
	one.Data, one.Parity = 1, 0
	const line = int64(len(",\n    \"\"")) + 2*sha256.Size
	size := int64(len(newIndex(&one).encode())+footerSize) + int64(l.Data-1+l.Parity)*line
	if l.Parity > 0 {
		size += int64(len("\n  ") - len(","))
	}
	return size
}

// Volumes is the number of all volumes.
func (l *Layout) Volumes() int { return l.Data + l.Parity }

// FileSize is the size of volume n as a file. Volumes are counted from 0, data
// before parity.
func (l *Layout) FileSize(n int) int64 { return l.payload(n) + l.overhead() }

// Total is the size of all volumes in bytes.
func (l *Layout) Total() int64 {
	return l.Size + int64(l.Parity)*l.Payload + int64(l.Volumes())*l.overhead()
}

// FileName is the usual name of volume n.
func (l *Layout) FileName(n int) string { return l.Name + "." + l.suffix(n) }

// suffix is what a volume's file name ends with: 001 or p001.
func (l *Layout) suffix(n int) string {
	if n < l.Data {
		return fmt.Sprintf("%03d", n+1)
	}
	return fmt.Sprintf("p%03d", n-l.Data+1)
}

// payload is the size of a volume's payload.
func (l *Layout) payload(n int) int64 {
	if n == l.Data-1 {
		return l.Size - int64(l.Data-1)*l.Payload
	}
	return l.Payload
}

// check tells whether the numbers can be those of a set.
func (l *Layout) check() error {
	if err := checkFile(l.Name, l.Size); err != nil {
		return err
	}
	switch {
	case l.Payload < 1 || l.Payload > l.Size:
		return fmt.Errorf("volumes of %d bytes are impossible for a file of %d", l.Payload, l.Size)
	case l.Parity < 0 || l.Data < 1 || l.Data > l.maxData():
		return fmt.Errorf("a set cannot have %d data and %d parity volumes", l.Data, l.Parity)
	case (l.Size-1)/l.Payload+1 != int64(l.Data):
		return fmt.Errorf("%d volumes of %d bytes do not make a file of %d", l.Data, l.Payload, l.Size)
	}
	return nil
}

func checkFile(name string, size int64) error {
	switch err := checkName(name); {
	case err != nil:
		return err
	case size < 1:
		return errors.New("the file is empty")
	case size > maxSize:
		return fmt.Errorf("%d bytes are too many: at most %d", size, int64(maxSize))
	}
	return nil
}

// checkName refuses what is more than the name of a file in a folder: names in
// an index come from files of unknown makers.
func checkName(name string) error {
	switch {
	case name == "" || name == "." || name == "..":
		return fmt.Errorf("%q is no name of a file", name)
	case len(name) > maxName:
		return fmt.Errorf("the name %q is longer than %d bytes", name, maxName)
	case !utf8.ValidString(name) || strings.ContainsAny(name, `/\`) || strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("the name %q has characters that names of volumes cannot have", name)
	}
	return nil
}
