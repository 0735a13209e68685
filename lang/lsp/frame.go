package lsp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Limits on what an editor may send, in bytes.
const (
	maxMessage = 16 << 20
	maxHeader  = 4 << 10
)

// A stream is a channel of jrpc2 with the base protocol's framing. That of jrpc2
// itself believes any length, and refuses the older names of the encoding.
type stream struct {
	in   *bufio.Reader
	from io.Reader
	out  io.WriteCloser
}

func newStream(in io.Reader, out io.WriteCloser) *stream {
	return &stream{in: bufio.NewReaderSize(in, maxHeader), from: in, out: out}
}

// Recv reads a message. The error is io.EOF only between messages.
func (s *stream) Recv() ([]byte, error) {
	length, err := s.header()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer // grows with what arrives, not with what was announced
	if n, err := io.CopyN(&b, s.in, length); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("cannot read a message: it ends after %d of %d bytes: %w", n, length, err)
	}
	return b.Bytes(), nil
}

// header reads a message's header and gives its length.
func (s *stream) header() (int64, error) {
	length := int64(-1)
	for first := true; ; first = false {
		line, err := s.line()
		if first && len(line) == 0 && errors.Is(err, io.EOF) {
			return 0, io.EOF
		}
		if err != nil {
			return 0, fmt.Errorf("cannot read a message: %w", err)
		}
		if line == "" {
			break
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return 0, fmt.Errorf("cannot read a message: %q is no header field", line)
		}
		if !strings.EqualFold(strings.TrimSpace(name), "Content-Length") {
			continue
		}
		length, err = strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		if err != nil || length < 0 {
			return 0, fmt.Errorf("cannot read a message: %q is no length", strings.TrimSpace(value))
		}
	}
	switch {
	case length < 0:
		return 0, errors.New("cannot read a message: the header has no Content-Length")
	case length > maxMessage:
		return 0, fmt.Errorf("cannot read a message: it has %d bytes, and %d are allowed", length, maxMessage)
	}
	return length, nil
}

// line reads a line of a header, without its end.
func (s *stream) line() (string, error) {
	b, err := s.in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", errors.New("a line of the header is too long")
	case errors.Is(err, io.EOF) && len(b) > 0:
		return string(b), io.ErrUnexpectedEOF
	case err != nil:
		return "", err
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

// Send writes a message.
func (s *stream) Send(msg []byte) error {
	frame := append(fmt.Appendf(nil, "Content-Length: %d\r\n\r\n", len(msg)), msg...)
	_, err := s.out.Write(frame)
	return err
}

// Close ends both directions, as far as they can be ended.
func (s *stream) Close() error {
	if c, ok := s.from.(io.Closer); ok {
		c.Close()
	}
	return s.out.Close()
}
