package crypt

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"

	"filippo.io/age"
	"golang.org/x/crypto/chacha20poly1305"
)

const (
	nonceSize   = 16 // bytes between header and payload
	sealedChunk = chunkSize + chacha20poly1305.Overhead
	lastFlag    = 1
)

// An Output takes the bytes of an encrypted file, and gives them back.
type Output interface {
	io.WriterAt
	io.ReaderAt
}

// A Writer encrypts a file while it is written. Each chunk is sealed once: two
// seals with one nonce would give away what stands in both. Bytes that are to
// be written a second time are announced with Hold, and their chunks wait in
// memory. Its methods are not safe for concurrent use, ReadAt aside.
type Writer struct {
	out      Output
	aead     cipher.AEAD
	payload  int64 // where the chunks begin in out
	size     int64 // clear bytes written
	waiting  map[int64][]byte
	free     [][]byte
	sealing  []byte
	from, to int64 // held
	written  *cache
	closed   bool
	err      error // the first failure
}

// NewWriter begins an encrypted file at the start of out.
func NewWriter(out Output, recipients []Recipient) (*Writer, error) {
	w, err := newWriter(out, recipients)
	if err != nil {
		return nil, fmt.Errorf("cannot encrypt: %w", err)
	}
	return w, nil
}

func newWriter(out Output, recipients []Recipient) (*Writer, error) {
	secret := make([]byte, fileKeySize+nonceSize)
	rand.Read(secret) // never fails
	fileKey, nonce := secret[:fileKeySize], secret[fileKeySize:]
	header, err := newHeader(fileKey, recipients)
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, fileKey, nonce, "payload", chacha20poly1305.KeySize)
	if err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		return nil, err
	}
	if _, err := out.WriteAt(append(header, nonce...), 0); err != nil {
		return nil, err
	}
	w := &Writer{
		out: out, aead: aead, payload: int64(len(header) + nonceSize),
		waiting: make(map[int64][]byte), sealing: make([]byte, 0, sealedChunk),
	}
	w.written = newCache(sealedReader{w}, math.MaxInt64)
	return w, nil
}

// Write appends to the file.
func (w *Writer) Write(p []byte) (int, error) {
	if w.closed {
		return 0, fs.ErrClosed
	}
	n := 0
	for n < len(p) && w.err == nil {
		index := w.size / chunkSize
		b, ok := w.waiting[index]
		if !ok {
			w.err = w.sealBefore(index)
			b = w.buffer()
		}
		m := min(len(p)-n, chunkSize-len(b))
		w.waiting[index] = append(b, p[n:n+m]...)
		n, w.size = n+m, w.size+int64(m)
	}
	return n, w.err
}

func (w *Writer) buffer() []byte {
	if n := len(w.free); n > 0 {
		b := w.free[n-1]
		w.free = w.free[:n-1]
		return b
	}
	return make([]byte, 0, chunkSize)
}

// Hold says that the next n bytes will be written again, by one WriteAt. What
// was held before is given up.
func (w *Writer) Hold(n int) { w.from, w.to = w.size, w.size+int64(n) }

// WriteAt writes again what is held, and ends the hold.
func (w *Writer) WriteAt(p []byte, off int64) (int, error) {
	if w.closed {
		return 0, fs.ErrClosed
	}
	if off != w.from || off+int64(len(p)) != w.to || w.to > w.size {
		return 0, errors.New("cannot write bytes again that are not held")
	}
	n := 0
	for n < len(p) {
		b := w.waiting[off/chunkSize]
		m := copy(b[off%chunkSize:], p[n:])
		n, off = n+m, off+int64(m)
	}
	w.from, w.to = 0, 0
	if w.err == nil {
		w.err = w.sealBefore((w.size - 1) / chunkSize)
	}
	return n, w.err
}

// sealBefore seals the chunks in front of the one at index that are not held.
func (w *Writer) sealBefore(index int64) error {
	for i := range w.waiting {
		held := i*chunkSize < w.to && w.from < (i+1)*chunkSize
		if i < index && !held {
			if err := w.seal(i, false); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *Writer) seal(index int64, last bool) error {
	b := w.waiting[index]
	w.sealing = w.aead.Seal(w.sealing[:0], chunkNonce(index, last), b, nil)
	if _, err := w.out.WriteAt(w.sealing, w.payload+index*sealedChunk); err != nil {
		return err
	}
	delete(w.waiting, index)
	w.free = append(w.free, b[:0])
	return nil
}

// chunkNonce is the number of a chunk, big-endian, and a byte that marks the
// last one.
func chunkNonce(index int64, last bool) []byte {
	n := make([]byte, chacha20poly1305.NonceSize)
	binary.BigEndian.PutUint64(n[3:], uint64(index))
	if last {
		n[11] = lastFlag
	}
	return n
}

// ReadAt reads back what was written, between two writes.
func (w *Writer) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) {
		if off < 0 || off >= w.size {
			return n, io.EOF
		}
		b, ok := w.waiting[off/chunkSize]
		if !ok {
			var err error
			if b, err = w.written.get(off / chunkSize); err != nil {
				return n, err
			}
		}
		m := copy(p[n:], b[off%chunkSize:])
		n, off = n+m, off+int64(m)
	}
	return n, nil
}

// FileSize is that of the encrypted file in bytes, as it would be if Close
// came now.
func (w *Writer) FileSize() int64 { return w.payload + sealedSize(w.size) }

// sealedSize is that of the chunks of size clear bytes.
func sealedSize(size int64) int64 {
	chunks := max(size-1, 0)/chunkSize + 1
	return size + chunks*chacha20poly1305.Overhead
}

// EncryptedSize is that of the file which a Writer makes of size clear bytes.
// Passphrases are not put to work for it.
func EncryptedSize(size int64, recipients []Recipient) (int64, error) {
	quick := slices.Clone(recipients)
	for i, r := range quick {
		if s, ok := r.(*age.ScryptRecipient); ok {
			light := *s
			light.SetWorkFactor(10) // as many digits as the real one
			quick[i] = &light
		}
	}
	header, err := newHeader(make([]byte, fileKeySize), quick)
	if err != nil {
		return 0, fmt.Errorf("cannot encrypt: %w", err)
	}
	return int64(len(header)) + nonceSize + sealedSize(size), nil
}

// Close seals what is left and marks the end. It does not close the output.
func (w *Writer) Close() error {
	if w.closed || w.err != nil {
		return w.err
	}
	w.closed = true
	w.from, w.to = 0, 0
	last := max(w.size-1, 0) / chunkSize
	if w.err = w.sealBefore(last); w.err == nil {
		w.err = w.seal(last, true)
	}
	w.written.size = w.size
	return w.err
}

// A sealedReader reads back chunks that were sealed, whole ones.
type sealedReader struct{ w *Writer }

// ReadAt implements io.ReaderAt.
func (r sealedReader) ReadAt(p []byte, off int64) (int, error) {
	w, index := r.w, off/chunkSize
	sealed := make([]byte, len(p)+chacha20poly1305.Overhead)
	if n, err := w.out.ReadAt(sealed, w.payload+index*sealedChunk); n < len(sealed) {
		return 0, err
	}
	last := w.closed && index == max(w.size-1, 0)/chunkSize
	clear, err := w.aead.Open(sealed[:0], chunkNonce(index, last), sealed, nil)
	return copy(p, clear), err
}
