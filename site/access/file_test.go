package access

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func add(t *testing.T, f *File, name string, role Role) string {
	t.Helper()
	secret, err := f.Add(t.Context(), name, role)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func TestTokens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	f := Open(path)
	if tokens, err := f.Tokens(); err != nil || len(tokens) != 0 {
		t.Fatalf("no file gives %v, %v", tokens, err)
	}
	ada, bob := add(t, f, "ada", Operator), add(t, f, "bob", Viewer)
	if len(ada) != len(prefix)+43 || ada == bob {
		t.Errorf("tokens are %q and %q", ada, bob)
	}
	other := Open(path)
	got, err := other.Find(ada)
	if err != nil || got == nil || got.Name != "ada" || got.Role != Operator || time.Since(got.Created) > time.Minute {
		t.Fatalf("ada's token is %+v, %v", got, err)
	}
	for _, wrong := range []string{"", "ada", ada[:len(ada)-1], ada + "x", strings.ToUpper(ada)} {
		if got, err := other.Find(wrong); got != nil || err != nil {
			t.Errorf("%q is the token of %v, %v", wrong, got, err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(b), ada[len(prefix):]) {
		t.Errorf("the file has the token itself: %v", err)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %04o", info.Mode().Perm())
	}
	if err := f.Remove(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	if gone, err := other.Find(ada); gone != nil || err != nil {
		t.Errorf("a token that was removed is that of %v, %v", gone, err)
	}
	if ok, err := other.Valid(got); ok || err != nil {
		t.Errorf("a token that was removed is valid, %v", err)
	}
	if err := f.Remove(t.Context(), "ada"); err == nil || !strings.Contains(err.Error(), `"ada" has no token`) {
		t.Errorf("removed twice: %v", err)
	}
	if still, _ := other.Find(bob); still == nil {
		t.Error("bob's token is gone too")
	}
}

func TestRefusals(t *testing.T) {
	f := Open(filepath.Join(t.TempDir(), "tokens"))
	add(t, f, "ada", Operator)
	for _, name := range []string{"", " ", "a b", "ä", "-x", "a\nb operator", strings.Repeat("x", 65), "ada"} {
		if _, err := f.Add(t.Context(), name, Viewer); err == nil {
			t.Errorf("%q gets a token", name)
		}
	}
	if _, err := ParseRole("root"); err == nil {
		t.Error("root is a role")
	}
	if !Operator.May(Viewer) || Viewer.May(Operator) || Role("").May(Viewer) || Role("").May(Operator) {
		t.Error("roles include what they should not")
	}
	if tokens, err := f.Tokens(); err != nil || len(tokens) != 1 {
		t.Errorf("after refusals there are %d tokens, %v", len(tokens), err)
	}
}

func TestReading(t *testing.T) {
	digest := "sha256:" + strings.Repeat("ab", 32)
	for text, want := range map[string]string{
		"":                      "",
		"# nobody\n\n  # yet\n": "",
		"ada operator " + digest + " 2026-03-01T11:38:05Z": "",
		"ada operator": "line 1: it has 2 words",
		"\nada root " + digest + " 2026-03-01T11:38:05Z":                                                   `line 2: "root" is no role`,
		"ada viewer sha256:ab 2026-03-01T11:38:05Z":                                                        "line 1: the third word",
		"ada viewer " + digest + " yesterday":                                                              "line 1: parsing time",
		"ada viewer " + digest + " 2026-03-01T11:38:05Z\nada operator " + digest + " 2026-03-01T11:38:05Z": `line 2: "ada" stands twice`,
		strings.Repeat("#", maxFile+1):                                                                     "more than",
	} {
		path := filepath.Join(t.TempDir(), "tokens")
		os.WriteFile(path, []byte(text), 0o600)
		_, err := Open(path).Tokens()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.60q: %v", text, err)
		}
	}
	path := filepath.Join(t.TempDir(), "tokens")
	os.WriteFile(path, []byte("# team\n"), 0o600)
	f := Open(path)
	add(t, f, "ada", Operator)
	if b, _ := os.ReadFile(path); !strings.HasPrefix(string(b), "# team\nada operator sha256:") {
		t.Errorf("a comment is lost: %s", b)
	}
	os.Chmod(path, 0o622)
	if _, err := f.Tokens(); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a file that others may write: %v", err)
	}
}

// TestAtOnce checks that no change is lost.
func TestAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	var wg sync.WaitGroup
	for n := range 20 {
		wg.Go(func() {
			if _, err := Open(path).Add(t.Context(), strings.Repeat("x", n+1), Viewer); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if tokens, err := Open(path).Tokens(); err != nil || len(tokens) != 20 {
		t.Errorf("%d tokens, %v", len(tokens), err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("# x\nada operator sha256:" + strings.Repeat("ab", 32) + " 2026-03-01T11:38:05Z\n")
	f.Fuzz(func(t *testing.T, text string) {
		lines, err := parse(text)
		if err != nil {
			return
		}
		for _, l := range lines {
			if l.token == nil {
				continue
			}
			again, err := parseLine(l.token.line())
			if err != nil || again.Name != l.token.Name || again.Role != l.token.Role || again.hash != l.token.hash {
				t.Errorf("%q comes back as %+v, %v", l.text, again, err)
			}
		}
	})
}
