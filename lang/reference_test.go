package lang

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

const languageReference = "../docs/language.md"

var generatedPart = regexp.MustCompile(`(?s)(<!-- generated: (\w+) -->\n).*?(<!-- end -->)`)

// TestLanguageReference compares the generated parts of the reference with the
// tables that the decoder reads by, and writes them anew with -update.
func TestLanguageReference(t *testing.T) {
	src, err := os.ReadFile(languageReference)
	if err != nil {
		t.Fatal(err)
	}
	l := Describe()
	parts := map[string]func() string{
		"blocks":     func() string { return blockSections(l.Project, "") },
		"root":       func() string { return blockSections(l.Root, "") },
		"references": func() string { return referenceTable(l, false) },
		"rootnames":  func() string { return referenceTable(l, true) },
		"functions":  func() string { return functionTables(t, l) },
		"limits":     limitTable,
	}
	out := generatedPart.ReplaceAllStringFunc(string(src), func(s string) string {
		m := generatedPart.FindStringSubmatch(s)
		part := parts[m[2]]
		if part == nil {
			t.Fatalf("nothing generates the part %q", m[2])
		}
		delete(parts, m[2])
		return m[1] + "\n" + part() + "\n" + m[3]
	})
	for name := range parts {
		t.Errorf("%s has no part %q", languageReference, name)
	}
	switch {
	case out == string(src):
	case !*update:
		t.Errorf("%s is out of date: run make golden", languageReference)
	default:
		if err := os.WriteFile(languageReference, []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// blockSections describes the blocks within b, each in a section of its own.
func blockSections(b *BlockType, within string) string {
	var out strings.Builder
	for _, c := range b.Blocks {
		title := blockTitle(c)
		if within == "" {
			fmt.Fprintf(&out, "### %s\n\n", title)
		} else {
			fmt.Fprintf(&out, "#### %s in %s\n\n", title, within)
		}
		fmt.Fprintf(&out, "%s%s\n", c.Doc, howOften(c))
		if table := attributeTable(c); table != "" {
			fmt.Fprintf(&out, "\n%s", table)
		}
		out.WriteString("\n")
		out.WriteString(blockSections(c, c.Name))
	}
	if within != "" {
		return out.String()
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func blockTitle(b *BlockType) string {
	title := b.Name
	for _, l := range b.Labels {
		title += fmt.Sprintf(" %q", strings.ToUpper(l))
	}
	return title
}

func howOften(b *BlockType) string {
	switch {
	case b.Once && b.Required:
		return " Exactly one."
	case b.Once:
		return " At most one."
	case b.Required:
		return " At least one."
	}
	return ""
}

func attributeTable(b *BlockType) string {
	var rows strings.Builder
	for _, a := range b.Attributes {
		doc := a.Doc
		if len(a.Values) > 0 {
			doc += " One of `" + strings.Join(a.Values, "`, `") + "`."
		}
		fmt.Fprintf(&rows, "| `%s` | %s | %s | %s |\n", a.Name, code(a.Type), defaultText(&a), doc)
	}
	if rows.Len() == 0 {
		return ""
	}
	return "| attribute | type | default | meaning |\n| --- | --- | --- | --- |\n" + rows.String()
}

func defaultText(a *Attribute) string {
	switch {
	case a.Required:
		return "required"
	case a.Default == "":
		return "–"
	case strings.ContainsAny(a.Default[:1], `"[{0123456789`), a.Default == "true", a.Default == "false", a.Default == "any":
		return code(a.Default)
	}
	return a.Default
}

// code writes text as code within a table.
func code(text string) string { return "`" + strings.ReplaceAll(text, "|", `\|`) + "`" }

func referenceTable(l *Language, root bool) string {
	out := "| reference | value |\n| --- | --- |\n"
	for _, r := range l.References {
		if r.Root == root {
			out += fmt.Sprintf("| %s | %s |\n", code(r.Name), r.Doc)
		}
	}
	return out
}

// functionTables lists the functions in their groups, with examples that are
// evaluated here.
func functionTables(t *testing.T, l *Language) string {
	t.Helper()
	console, _, diags := NewConsole(fstest.MapFS{
		"main.floto.hcl":   {},
		"notes.txt":        {Data: []byte("Hello.\n")},
		"greeting.tftpl":   {Data: []byte("Hello ${name}.")},
		"images/a/app.cfg": {},
		"images/b/app.cfg": {},
	}, Options{ToolVersion: "0.1.0"})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var groups []string
	rows := make(map[string]string)
	for i := range l.Functions {
		f := &l.Functions[i]
		if rows[f.Group] == "" {
			groups = append(groups, f.Group)
		}
		rows[f.Group] += fmt.Sprintf("| %s | %s | %s |\n", code(f.Signature()), f.Doc, exampleText(t, console, f.Name))
	}
	slices.Sort(groups)
	var out strings.Builder
	for i, g := range groups {
		if i > 0 {
			out.WriteString("\n")
		}
		fmt.Fprintf(&out, "#### %s\n\n| function | gives | example |\n| --- | --- | --- |\n%s", capital(g), rows[g])
	}
	return out.String()
}

func exampleText(t *testing.T, console *Console, name string) string {
	t.Helper()
	expr := functionExamples[name]
	if !strings.Contains(expr, name+"(") {
		t.Errorf("the function %s has no example in functionExamples", name)
		return ""
	}
	got, diags := console.Evaluate(expr)
	if diags.HasErrors() {
		t.Errorf("%s: %v", expr, diags)
	}
	return code(expr) + " → " + code(oneLine(got))
}

var lineBreak = regexp.MustCompile(`([{\[]?)\n\s*([}\]]?)`)

// oneLine writes a value that takes several lines in one.
func oneLine(value string) string {
	return lineBreak.ReplaceAllStringFunc(value, func(s string) string {
		m := lineBreak.FindStringSubmatch(s)
		if m[1] == "" && m[2] == "" {
			return ", "
		}
		return m[1] + " " + m[2]
	})
}

func limitTable() string {
	limits := []struct{ what, most string }{
		{"configuration, variable or root definition file, template", mib(MaxSourceSize)},
		{"env file of a Compose file", fmt.Sprintf("%d KiB", maxEnvFile>>10)},
		{"file that a function reads", mib(maxDataSize)},
		{"nesting of expressions", fmt.Sprint(maxNesting)},
		{"operators and indices of an expression", fmt.Sprint(maxOperators)},
		{"value", fmt.Sprintf("%d elements, %s of text", maxValue, mib(maxValue*textUnit))},
		{"nesting of a value", fmt.Sprint(maxValueDepth)},
		{"digits of a number", fmt.Sprint(maxDigits)},
		{"user functions that call each other", fmt.Sprintf("%d deep", maxCallDepth)},
		{"modules", fmt.Sprintf("%d, %d deep", maxModules, maxModuleDepth)},
		{"document or config file of a patch", mib(maxRendered)},
		{"all of them of one site", mib(maxManifest)},
		{"name of an image, site, host or container", "128 characters"},
		{"arguments of `coalesce`", fmt.Sprint(maxArguments)},
		{"evaluation budget", fmt.Sprintf("%d million units", budget/1_000_000)},
	}
	out := "| what | at most |\n| --- | --- |\n"
	for _, l := range limits {
		out += fmt.Sprintf("| %s | %s |\n", l.what, l.most)
	}
	return out
}

func mib(n int) string { return fmt.Sprintf("%d MiB", n>>20) }
