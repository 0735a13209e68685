package crypt

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// A Stream decrypts what can be read only once from its beginning. Truncation
// shows at its end: the last chunk is marked as such.
type Stream struct {
	clear      io.Reader
	recipients []string
}

// NewStream reads a file that may be encrypted; one that is not is read as it
// is. name and keys are as for Open, and so are the errors.
func NewStream(r io.Reader, name string, keys Keys) (*Stream, error) {
	s, err := newStream(bufio.NewReaderSize(r, 64<<10), name, keys)
	if err != nil {
		return nil, fmt.Errorf("cannot decrypt: %w", err)
	}
	return s, nil
}

func newStream(r *bufio.Reader, name string, keys Keys) (*Stream, error) {
	first, err := r.Peek(len(Magic))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if !IsEncrypted(first) {
		return &Stream{r, nil}, nil
	}
	if !bytes.HasPrefix(first, []byte(Magic)) {
		return nil, errArmor
	}
	var read bytes.Buffer
	header, err := age.ExtractHeader(io.TeeReader(r, &read))
	if err != nil {
		return nil, fmt.Errorf("its header is damaged: %w", err)
	}
	key, err := keys.fileKey(name, header)
	if err != nil {
		return nil, err
	}
	clear, err := age.Decrypt(io.MultiReader(&read, r), age.NewInjectedFileKeyIdentity(key))
	if err != nil {
		return nil, err
	}
	return &Stream{clear, stanzaTypes(header)}, nil
}

// Read implements io.Reader.
func (s *Stream) Read(p []byte) (int, error) {
	n, err := s.clear.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("cannot decrypt: %w", err)
	}
	return n, err
}

// Recipients lists the types of those who can decrypt the file, each once; nil
// for one that is not encrypted.
func (s *Stream) Recipients() []string { return s.recipients }
