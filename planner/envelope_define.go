package planner

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/envelope"
	"github.com/flotobuild/flotobuild/lang"
)

// BlobDigest tells blobs apart without telling what they hold: HMAC-SHA-256
// under a secret key that never leaves the project's data folder. content is
// the digest of the blob's bytes, which may lie in a volume; the blob's own
// Content does not count.
func BlobDigest(key []byte, b envelope.Blob, content digest.Digest) (string, error) {
	b.Content = nil
	text, err := json.Marshal(struct {
		Blob    envelope.Blob
		Content digest.Digest
	}{b, content})
	if err != nil {
		return "", fmt.Errorf("cannot compute the digest of blob %q: %w", b.Name, err)
	}
	return "hmac-sha256:" + keyed(key, text), nil
}

// KeyID names a digest key, and tells nothing of it.
func KeyID(key []byte) string { return keyed(key, []byte("flotobuild envelope digest key"))[:16] }

func keyed(key, text []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write(text)
	return hex.EncodeToString(mac.Sum(nil))
}

// Definition gives what an envelope of the configuration is to hold, in the
// clear. The content of blobs with a source and the creation date are left to the
// caller.
func Definition(cfg *lang.Config, address string) (*envelope.Definition, error) {
	for _, e := range cfg.Envelopes {
		if e.Address() == address {
			return definition(e), nil
		}
	}
	return nil, fmt.Errorf("cannot find the envelope %s in the configuration", address)
}

// someTime stands for the creation date before there is one: none is longer.
var someTime = time.Date(2026, 1, 1, 0, 0, 0, int(time.Millisecond), time.UTC)

func definition(e *lang.Envelope) *envelope.Definition {
	d := &envelope.Definition{Name: e.Name, UUID: e.UUID, Version: e.Version, Activate: e.Activate, Apps: e.Apps, Created: someTime}
	for _, b := range e.Blobs {
		d.Blobs = append(d.Blobs, blobDefinition(b))
	}
	return d
}

// blobDefinition puts metadata where it is encrypted together with the content,
// or in the clear beside clear content. Metadata that is to be treated
// otherwise than the content stands beside the blob.
func blobDefinition(b *lang.Blob) envelope.Blob {
	out := envelope.Blob{Name: b.Name, Content: b.Content, Encrypt: b.EncryptContent}
	if b.EncryptContent == b.EncryptMetadata {
		out.Metadata = b.Metadata
	} else {
		out.ArtifactMetadata, out.EncryptMetadata = b.Metadata, b.EncryptMetadata
	}
	if b.Volume != nil {
		out.Volume = &envelope.Volume{ID: b.Volume.ID, Image: b.Volume.Image}
	}
	return out
}
