package site

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/internal/strictjson"
	"github.com/flotobuild/flotobuild/patch/sign"
)

// formatVersion is the version of the store's own files.
const formatVersion = 1

// A config is site.json.
type config struct {
	FormatVersion int       `json:"formatVersion"`
	Name          string    `json:"name"`
	Created       time.Time `json:"created"`
	// TrustPolicy is absent where signatures are not demanded.
	TrustPolicy json.RawMessage `json:"trustPolicy,omitempty"`
	// TrustSince is when the policy was last replaced; zero where it never was.
	TrustSince time.Time `json:"trustSince,omitzero"`
}

// policy gives the trust policy; nil where there is none.
func (c *config) policy() (*sign.Policy, error) {
	if c.TrustPolicy == nil {
		return nil, nil
	}
	return sign.ParsePolicy(c.TrustPolicy)
}

// checkName refuses what cannot be the name of a site.
func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("the site has no name")
	case strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("the name %q holds a control character", name)
	}
	return nil
}

func readConfig(dir string) (*config, error) {
	b, err := readFile(filepath.Join(dir, configFile), 2*sign.MaxPolicy)
	if err != nil {
		return nil, err
	}
	if err := strictjson.CheckKeys(b, nil); err != nil {
		return nil, fmt.Errorf("%q: %w", configFile, err)
	}
	c := new(config)
	if err := json.Unmarshal(b, c); err != nil {
		return nil, fmt.Errorf("%q: %w", configFile, err)
	}
	if c.FormatVersion != formatVersion {
		return nil, fmt.Errorf("the store has format version %d and this flotobuild knows %d: take a newer flotobuild", c.FormatVersion, formatVersion)
	}
	if err := checkName(c.Name); err != nil {
		return nil, fmt.Errorf("%q: %w", configFile, err)
	}
	_, err = c.policy()
	return c, err
}

func (c *config) write(dir string) error {
	b, err := encode(c)
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(filepath.Join(dir, configFile), b, 0o666)
}

// encode gives JSON for people: indented, with a newline at the end.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}

// readFile reads a file of at most limit bytes.
func readFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f, name, limit)
}
