package access

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/internal/regular"
)

// Bounds of the file.
const (
	maxFile   = 1 << 20 // bytes
	maxTokens = 1000
)

// lockTime is how long a change waits for another one.
const lockTime = 10 * time.Second

// A File is a file of tokens, which need not exist yet. It is safe for
// concurrent use, by several processes too.
type File struct {
	path string

	mu    sync.Mutex
	seen  fs.FileInfo // of what was read last; nil for no file
	lines []line
	read  bool
}

// A line is a token, or a comment where it has none.
type line struct {
	text  string
	token *Token
}

// Open names a file of tokens. It is read when somebody asks.
func Open(path string) *File { return &File{path: path} }

// Tokens gives the tokens in the order of the file.
func (f *File) Tokens() ([]*Token, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.refresh(); err != nil {
		return nil, fmt.Errorf("cannot read tokens from %q: %w", f.path, err)
	}
	return tokensOf(f.lines), nil
}

// Find gives the token of a secret; nil where there is none.
func (f *File) Find(secret string) (*Token, error) {
	tokens, err := f.Tokens()
	if err != nil {
		return nil, err
	}
	return find(tokens, secret), nil
}

// Valid says whether a token is still in the file as it was.
func (f *File) Valid(t *Token) (bool, error) {
	tokens, err := f.Tokens()
	return slices.ContainsFunc(tokens, func(o *Token) bool { return *o == *t }), err
}

// Add makes a token for somebody who has none yet and returns what to give to
// its owner: it is kept nowhere.
func (f *File) Add(ctx context.Context, name string, role Role) (string, error) {
	t, secret, err := newToken(name, role, time.Now())
	if err != nil {
		return "", err
	}
	err = f.change(ctx, func(lines []line) ([]line, error) {
		switch tokens := tokensOf(lines); {
		case slices.ContainsFunc(tokens, func(o *Token) bool { return o.Name == name }):
			return nil, fmt.Errorf("%q has a token already: remove it first", name)
		case len(tokens) >= maxTokens:
			return nil, fmt.Errorf("there are %d tokens already", len(tokens))
		}
		return append(lines, line{t.line(), t}), nil
	})
	return secret, err
}

// Remove takes somebody's token away.
func (f *File) Remove(ctx context.Context, name string) error {
	return f.change(ctx, func(lines []line) ([]line, error) {
		rest := slices.DeleteFunc(lines, func(l line) bool { return l.token != nil && l.token.Name == name })
		if len(rest) == len(lines) {
			return nil, fmt.Errorf("%q has no token", name)
		}
		return rest, nil
	})
}

func tokensOf(lines []line) []*Token {
	var out []*Token
	for _, l := range lines {
		if l.token != nil {
			out = append(out, l.token)
		}
	}
	return out
}

// change replaces the file as a whole; a lock keeps changes apart.
func (f *File) change(ctx context.Context, edit func([]line) ([]line, error)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.changeLocked(ctx, edit)
	f.read = false
	if err != nil {
		return fmt.Errorf("cannot change tokens in %q: %w", f.path, err)
	}
	return nil
}

func (f *File) changeLocked(ctx context.Context, edit func([]line) ([]line, error)) error {
	unlock, err := atomicfile.LockDir(ctx, filepath.Dir(f.path), lockTime)
	if err != nil {
		return err
	}
	defer unlock()
	f.read = false
	if err := f.refresh(); err != nil {
		return err
	}
	lines, err := edit(slices.Clone(f.lines))
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.text + "\n")
	}
	return atomicfile.WriteFile(f.path, []byte(b.String()), 0o600)
}

// refresh reads the file where it has changed.
func (f *File) refresh() error {
	info, err := os.Stat(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		f.seen, f.lines, f.read = nil, nil, true
		return nil
	}
	if err != nil {
		return err
	}
	if f.read && f.seen != nil && os.SameFile(info, f.seen) && info.ModTime().Equal(f.seen.ModTime()) && info.Size() == f.seen.Size() && info.Mode() == f.seen.Mode() {
		return nil
	}
	f.read = false
	lines, info, err := readLines(f.path)
	if err != nil {
		return err
	}
	f.seen, f.lines, f.read = info, lines, true
	return nil
}

func readLines(path string) ([]line, fs.FileInfo, error) {
	file, info, err := regular.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	if info.Mode().Perm()&0o022 != 0 {
		return nil, nil, fmt.Errorf("others than its owner may write to it (%04o): run chmod 600 on it", info.Mode().Perm())
	}
	b, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, nil, err
	}
	if len(b) > maxFile {
		return nil, nil, fmt.Errorf("it has more than %d bytes", maxFile)
	}
	lines, err := parse(string(b))
	return lines, info, err
}

func parse(text string) ([]line, error) {
	var out []line
	names := make(map[string]bool)
	text = strings.TrimSuffix(text, "\n")
	if text == "" {
		return nil, nil
	}
	for n, raw := range strings.Split(text, "\n") {
		if s := strings.TrimSpace(raw); s == "" || strings.HasPrefix(s, "#") {
			out = append(out, line{text: raw})
			continue
		}
		t, err := parseLine(raw)
		if err == nil && names[t.Name] {
			err = fmt.Errorf("%q stands twice", t.Name)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
		names[t.Name] = true
		out = append(out, line{raw, t})
	}
	return out, nil
}
