package lang

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// An Encryption says whom a patch file is encrypted for: holders of keys, or
// those who know a passphrase.
type Encryption struct {
	Recipients []Recipient
	// PassphraseEnv names the environment variable with the passphrase; empty
	// where there is none.
	PassphraseEnv string
	Range         hcl.Range
}

// A Recipient is a public key as the configuration, or a file that it names,
// writes it. What it is worth is not known here.
type Recipient struct {
	Text  string
	Range hcl.Range // in the configuration or in the file
}

// encryptionKeys are the parts of the attribute encrypt.
var encryptionKeys = []string{"passphrase", "recipients", "recipients_files"}

// encryption evaluates the attribute encrypt of a patch block; nil without one.
func (f *frame) encryption(b *block) *Encryption {
	parts := f.elements(b, "encrypt")
	if parts == nil {
		return nil
	}
	expr := b.attrs["encrypt"].Expr
	e := &Encryption{Range: expr.Range()}
	before := len(f.diags)
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		v, rng := parts[name], elementRange(expr, name)
		switch {
		case v.IsNull():
		case name == "recipients":
			for _, text := range f.textsOf(v, name, rng) {
				e.Recipients = append(e.Recipients, Recipient{strings.TrimSpace(text), rng})
			}
		case name == "recipients_files":
			for _, file := range f.textsOf(v, name, rng) {
				e.Recipients = append(e.Recipients, f.recipientsFile(file, rng)...)
			}
		case name == "passphrase":
			e.PassphraseEnv = f.passphraseVariable(v, rng)
		default:
			f.report(failure(rng, "Unsupported argument", "encrypt has no %q: it has %s.%s", name, strings.Join(encryptionKeys, ", "), didYouMean(name, encryptionKeys)))
		}
	}
	if len(f.diags) > before {
		return nil
	}
	f.checkEncryption(e)
	return e
}

func (f *frame) checkEncryption(e *Encryption) {
	switch {
	case len(e.Recipients) == 0 && e.PassphraseEnv == "":
		f.report(failure(e.Range, "Missing recipient",
			"Nobody is named who could read the patch. Write { recipients = [\"age1…\"] }, or remove encrypt."))
	case len(e.Recipients) > 0 && e.PassphraseEnv != "":
		f.report(failure(e.Range, "Passphrase beside recipients",
			"A passphrase must be the only recipient of a file: those who have it then know that nobody else has made the file. Remove passphrase, or the recipients."))
	}
}

// textsOf gives the strings of a list within a value.
func (f *frame) textsOf(v cty.Value, name string, rng hcl.Range) []string {
	list, err := convertTo(v, cty.List(cty.String))
	if err != nil || !list.IsWhollyKnown() || list.IsNull() {
		f.report(failure(rng, "Wrong type", "The part %q of encrypt needs a list of strings.", name))
		return nil
	}
	var out []string
	for _, e := range list.AsValueSlice() {
		if e.IsNull() {
			f.report(failure(rng, "Null element", "The elements of %q must not be null.", name))
			continue
		}
		out = append(out, e.AsString())
	}
	return out
}

// recipientsFile reads a file of public keys, one a line.
func (f *frame) recipientsFile(name string, rng hcl.Range) []Recipient {
	p, d := newPath(name, f.scope.folder.dir, true, rng)
	if d != nil {
		f.report(d)
		return nil
	}
	if leavesProject(p.Name) {
		f.report(failure(rng, "Path outside of the project",
			"The path %q leads out of the project folder, so that other machines do not have it. Move the file into the project: it holds public keys only.", name))
		return nil
	}
	src, err := readLimited(f.scope.project.fsys, p.Name, MaxSourceSize)
	if err != nil {
		f.report(fileError(p.Name, err, rng))
		return nil
	}
	var out []Recipient
	n := 0
	for line := range strings.Lines(string(src)) {
		n++
		text := strings.TrimSpace(line)
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		pos := hcl.Pos{Line: n, Column: 1}
		out = append(out, Recipient{text, hcl.Range{Filename: p.Name, Start: pos, End: pos}})
	}
	if len(out) == 0 {
		f.report(failure(rng, "Missing recipient", "The file %q names no recipient. Write one public key a line, such as age1….", p.Name))
	}
	return out
}

func (f *frame) passphraseVariable(v cty.Value, rng hcl.Range) string {
	key, text := soleText(v)
	if key != "env" || text == "" || strings.Contains(text, "=") {
		f.report(failure(rng, "Invalid passphrase",
			"A passphrase is no part of the configuration: write { env = \"NAME_OF_VARIABLE\" }, and give it in that environment variable."))
		return ""
	}
	return text
}
