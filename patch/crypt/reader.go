package crypt

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// Magic is how an encrypted file begins.
const Magic = "age-encryption.org/v1\n"

// armorMagic is how an encrypted file in armor begins.
const armorMagic = "-----BEGIN AGE ENCRYPTED FILE-----"

// IsEncrypted tells from the first bytes of a file whether Open is for it.
// len(Magic) bytes are enough.
func IsEncrypted(first []byte) bool {
	return bytes.HasPrefix(first, []byte(Magic)) || len(first) >= len(Magic) && bytes.HasPrefix([]byte(armorMagic), first[:len(Magic)])
}

// A Reader decrypts a file at random. It is safe for concurrent use, and holds
// a few megabytes at most.
type Reader struct {
	*cache
	size       int64
	recipients []string
}

// Open reads the header of the encrypted file called name, of size bytes, and
// its last chunk, which authenticates the length. name is for Keys.Passphrase.
// Where no key fits, the error is an *IdentityError or ErrPassphrase.
func Open(r io.ReaderAt, size int64, name string, keys Keys) (*Reader, error) {
	d, err := open(r, size, name, keys)
	if err != nil {
		return nil, fmt.Errorf("cannot decrypt: %w", err)
	}
	return d, nil
}

func open(r io.ReaderAt, size int64, name string, keys Keys) (*Reader, error) {
	header, err := readHeader(r, size)
	if err != nil {
		return nil, err
	}
	key, err := keys.fileKey(name, header)
	if err != nil {
		return nil, err
	}
	clear, n, err := age.DecryptReaderAt(r, size, age.NewInjectedFileKeyIdentity(key))
	if err != nil {
		return nil, fmt.Errorf("the end of the file is missing or damaged: %w", err)
	}
	return &Reader{newCache(clear, n), n, stanzaTypes(header)}, nil
}

var errArmor = errors.New("it is in armor, which has no random access: take the armor off with age, by decrypting and encrypting again without -a")

// readHeader gives the exact bytes of a file's header.
func readHeader(r io.ReaderAt, size int64) ([]byte, error) {
	first := make([]byte, len(armorMagic))
	n, _ := r.ReadAt(first, 0)
	if string(first[:n]) == armorMagic {
		return nil, errArmor
	}
	header, err := age.ExtractHeader(io.NewSectionReader(r, 0, size))
	if err != nil {
		return nil, fmt.Errorf("its header is damaged: %w", err)
	}
	return header, nil
}

// Size is that of the decrypted file in bytes.
func (r *Reader) Size() int64 { return r.size }

// Recipients lists the types of those who can decrypt the file, each once.
func (r *Reader) Recipients() []string { return r.recipients }
