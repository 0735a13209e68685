package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// A Role says what somebody may do.
type Role string

// The roles. An operator may do what a viewer may.
const (
	Viewer   Role = "viewer"   // see everything, pull images
	Operator Role = "operator" // change the site
)

// ParseRole reads a role.
func ParseRole(text string) (Role, error) {
	switch r := Role(text); r {
	case Viewer, Operator:
		return r, nil
	}
	return "", fmt.Errorf("%q is no role: there are %s and %s", text, Viewer, Operator)
}

// May says whether a role includes another one.
func (r Role) May(needed Role) bool { return r == needed || r == Operator && needed == Viewer }

// A Token is what the file knows of somebody's token.
type Token struct {
	Name    string // of the owner, for the history
	Role    Role
	Created time.Time
	hash    [sha256.Size]byte
}

// prefix begins every token, so that people and scanners recognize one.
const prefix = "fbs_"

// hashPrefix begins the digest in a line.
const hashPrefix = "sha256:"

// validName is what an owner can be called.
var validName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$`)

// newToken makes a token and the text that its owner gets.
func newToken(name string, role Role, now time.Time) (*Token, string, error) {
	if !validName.MatchString(name) {
		return nil, "", fmt.Errorf("%q cannot be the name of a token: it has 1 to 64 letters, digits and \"._@-\", and begins with a letter or digit", name)
	}
	var random [32]byte
	rand.Read(random[:]) // never fails
	secret := prefix + base64.RawURLEncoding.EncodeToString(random[:])
	return &Token{Name: name, Role: role, Created: now.UTC().Truncate(time.Second), hash: sha256.Sum256([]byte(secret))}, secret, nil
}

func (t *Token) line() string {
	return fmt.Sprintf("%s %s %s%x %s", t.Name, t.Role, hashPrefix, t.hash, t.Created.Format(time.RFC3339))
}

func parseLine(line string) (*Token, error) {
	fields := strings.Fields(line)
	if len(fields) != 4 {
		return nil, fmt.Errorf("it has %d words instead of NAME ROLE DIGEST TIME", len(fields))
	}
	t := &Token{Name: fields[0]}
	if !validName.MatchString(t.Name) {
		return nil, fmt.Errorf("%q is no name", t.Name)
	}
	var err error
	if t.Role, err = ParseRole(fields[1]); err != nil {
		return nil, err
	}
	text, ok := strings.CutPrefix(fields[2], hashPrefix)
	sum, err := hex.DecodeString(text)
	if !ok || err != nil || len(sum) != len(t.hash) {
		return nil, errors.New("the third word is no SHA-256 digest")
	}
	copy(t.hash[:], sum)
	t.Created, err = time.Parse(time.RFC3339, fields[3])
	return t, err
}

// find gives the token of a secret. How long it takes tells nothing of the
// tokens.
func find(tokens []*Token, secret string) *Token {
	sum := sha256.Sum256([]byte(secret))
	var found *Token
	for _, t := range tokens {
		if subtle.ConstantTimeCompare(sum[:], t.hash[:]) == 1 {
			found = t
		}
	}
	return found
}
