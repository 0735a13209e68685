package lang

import (
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hashicorp/hcl/v2"
)

// TestLoadHuge loads sources of nearly the greatest size that would exhaust the
// stack or the memory if they were followed without limits.
func TestLoadHuge(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const size = MaxSourceSize - 100
	fill := func(unit string) string { return strings.Repeat(unit, size/len(unit)) }
	var chain strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&chain, "a%d = local.a%d\n", i, i+1)
	}
	for name, body := range map[string]string{
		"brackets":    "a = " + fill("["),
		"parens":      "a = " + fill("("),
		"not":         "a = " + fill("!") + "true",
		"minus":       "a = " + fill("-") + "1",
		"plus":        "a = 1" + fill("+1"),
		"conditional": "a = " + fill("1?1:") + "1",
		"index":       "a = b" + fill("[0]"),
		"attributes":  "a = b" + fill(".c"),
		"calls":       "a = " + fill("f("),
		"templates":   "a = " + fill(`"${`),
		"for":         "a = " + fill("[for x in "),
		"ifs":         "a = \"" + fill("%{if true}") + "\"",
		"list":        "a = [" + fill("1,") + "]",
		"chain":       chain.String() + "a20000 = 1",
		"splat":       "a = b" + fill("[*]"),
		"attr splat":  "a = b" + fill(".*"),
	} {
		t.Run(name, func(t *testing.T) {
			fsys := fstest.MapFS{"x.floto.hcl": {Data: []byte("locals {\n" + body + "\n}\n")}}
			cfg, diags := Load(fsys, Options{})
			if err := WriteDiagnostics(io.Discard, diags, cfg.Files, DiagnosticsOptions{}); err != nil {
				t.Fatal(err)
			}
		})
	}
	t.Run("blocks", func(t *testing.T) {
		refuse(t, fstest.MapFS{"x.floto.hcl": {Data: []byte(fill("a {\n"))}}, Options{})
	})
	t.Run("json template", func(t *testing.T) {
		src := `{"locals": {"a": "${` + fill("(") + `"}}`
		refuse(t, fstest.MapFS{"x.floto.hcl.json": {Data: []byte(src)}}, Options{})
	})
	t.Run("json not", func(t *testing.T) {
		src := `{"locals": {"a": "${` + fill("!") + `true}"}}`
		refuse(t, fstest.MapFS{"x.floto.hcl.json": {Data: []byte(src)}}, Options{})
	})
	t.Run("option", func(t *testing.T) {
		fsys := fstest.MapFS{"x.floto.hcl": {Data: []byte("variable \"a\" {\n  type = list(string)\n}\n")}}
		refuse(t, fsys, Options{Vars: []VarOption{{Assignment: "a=" + fill("[")}}})
	})
}

func refuse(t *testing.T, fsys fs.FS, opts Options) {
	t.Helper()
	if _, diags := Load(fsys, opts); !diags.HasErrors() {
		t.Error("the source is accepted")
	}
}

// TestLoadExpensive evaluates small sources that would take hours or all memory
// if their cost were not counted.
func TestLoadExpensive(t *testing.T) {
	double := func(first, next string) string {
		var b strings.Builder
		fmt.Fprintf(&b, "a0 = %s\n", first)
		for i := range 60 {
			fmt.Fprintf(&b, "a%d = %s\n", i+1, strings.ReplaceAll(next, "@", fmt.Sprintf("local.a%d", i)))
		}
		return b.String()
	}
	many := func(unit string) string { return strings.Repeat(unit, 60_000) }
	text := "x = join(\"\", [for i in range(1000) : \"0123456789012345678901234567890123456789\"])\n"
	loops := "[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : @]]]"
	for name, c := range map[string]struct{ body, want string }{
		"doubling text":      {double(`"x"`, `"${@}${@}"`), "Value too large"},
		"doubling list":      {double(`["x"]`, `[@, @]`), "Value too large"},
		"doubling object":    {double(`{ x = 1 }`, `{ a = @, b = @ }`), "Value too large"},
		"doubling concat":    {double(`["x"]`, `concat(@, @)`), "Value too large"},
		"doubling join":      {double(`"x"`, `join("", [@, @])`), "Value too large"},
		"doubling encode":    {double(`"x"`, `jsonencode([@, @])`), "Value too large"},
		"doubling condition": {double(`["x"]`, `true ? [@, @] : []`), "Value too large"},
		"deep list":          {double(`["x"]`, strings.Repeat("[", 50)+"@"+strings.Repeat("]", 50)), "Value nested too deeply"},
		"wide template":      {text + "a = \"" + many("${local.x}") + "\"", "Value too large"},
		"wide list":          {text + "a = jsonencode([" + many("local.x,") + "])", "Value too large"},
		"loops":              {"a = " + strings.ReplaceAll(loops, "@", "c"), "Evaluation too expensive"},
		"loops of nothing":   {"a = " + strings.ReplaceAll(loops, "@", "c if false"), "Evaluation too expensive"},
		"template loops":     {`a = "%{ for a in range(1000) }%{ for b in range(1000) }%{ for c in range(1000) }x%{ endfor }%{ endfor }%{ endfor }"`, "Evaluation too expensive"},
		"loops in calls":     {"l = range(1000)\na = [for a in local.l : [for b in local.l : length(local.l)]]", "Evaluation too expensive"},
		"loops of equals":    {"l = range(1000)\na = [for a in local.l : [for b in local.l : local.l == local.l]]", "Evaluation too expensive"},
		"splat":              {"l = [for a in range(1000) : { b = 1 }]\na = [for a in local.l : [for b in local.l : local.l[*].b]]", "Evaluation too expensive"},
		"number":             {`a = tostring(tonumber("1e99999999"))`, "Number too large"},
		"number in text":     {`a = "x${tonumber("1e99999999")}"`, "Number too large"},
		"number as key":      {`a = { (tonumber("1e99999999")) = 1 }`, "Number too large"},
		"number multiplied":  {"a = \"x${" + strings.Repeat("1e9999*", 1000) + "1}\"", "Number too large"},
		"number in json":     {`a = jsonencode(jsondecode("[1e99999999]"))`, "Number too large"},
		"number choice":      {`a = true ? tonumber("1e99999999") : "x"`, "Number too large"},
		"indent":             {`a = indent(1e9, "a\nb")`, "Error in function call"},
		"range":              {`a = range(1e9)`, "Error in function call"},
		"format":             {`a = format("%999999999d", 1)`, "Error in function call"},
		"format list":        {`a = formatlist("%0.999999999f", [1])`, "Error in function call"},
		"product":            {"l = range(1000)\na = setproduct(local.l, local.l, local.l)", "Error in function call"},
		"replace":            {text + `a = replace(local.x, "0", local.x)`, "Error in function call"},
		"replace pattern":    {text + `a = replace(local.x, "/(.*)/", "${local.x}$1")`, "Error in function call"},
		"coalesce":           {"l = range(1001)\na = coalesce(local.l...)", "Error in function call"},
		"json depth":         {`a = jsondecode(join("", [for i in range(1000) : "["]))`, "Error in function call"},
		"yaml aliases":       {"a = yamldecode(<<EOT\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nEOT\n)", "Error in function call"},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := fstest.MapFS{"x.floto.hcl": {Data: []byte("locals {\n" + c.body + "\n}\n")}}
			expectDiagnostic(t, fsys, c.want)
		})
	}
}

// TestLoadExpensiveModules makes many of little by functions, modules,
// instances and JSON.
func TestLoadExpensiveModules(t *testing.T) {
	var calls strings.Builder
	calls.WriteString("function \"f0\" {\n  params = [x]\n  result = x\n}\n")
	for i := range 50 {
		fmt.Fprintf(&calls, "function \"f%d\" {\n  params = [x]\n  result = length([f%d(x), f%d(x)])\n}\n", i+1, i, i)
	}
	calls.WriteString("locals {\n  a = f50(1)\n}\n")
	modules := fstest.MapFS{"x.floto.hcl": {Data: []byte("module \"a\" {\n  source = \"./m0\"\n}\n")}}
	for i := range 30 {
		call := fmt.Sprintf("{\n  source = \"../m%d\"\n}\n", i+1)
		modules[fmt.Sprintf("m%d/x.floto.hcl", i)] = &fstest.MapFile{Data: []byte("module \"a\" " + call + "module \"b\" " + call)}
	}
	modules["m30/x.floto.hcl"] = &fstest.MapFile{Data: []byte("locals {}\n")}
	for name, c := range map[string]struct {
		fsys fstest.MapFS
		want string
	}{
		"functions": {fstest.MapFS{"x.floto.hcl": {Data: []byte(calls.String())}}, "Evaluation too expensive"},
		"modules":   {modules, "Too many modules"},
		"json": {fstest.MapFS{"x.floto.hcl.json": {Data: []byte(
			`{"locals": {"a": "${[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : c]]]}"}}`)}}, "Evaluation too expensive"},
		"json dynamic": {fstest.MapFS{"x.floto.hcl.json": {Data: []byte(
			`{"image_set": {"a": {"image": {"b": {"context": "x", "dynamic": {"precondition": {"for_each": [1], "content": {"error_message": "x", "condition": "${[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : c]]] == []}"}}}}}}}}`)}}, "Evaluation too expensive"},
		"template": {fstest.MapFS{
			"x.floto.hcl": {Data: []byte("locals {\n  a = templatefile(\"t\", { l = range(1000) })\n}\n")},
			"t":           {Data: []byte("%{ for a in l }%{ for b in l }%{ for c in l }x%{ endfor }%{ endfor }%{ endfor }")},
		}, "Evaluation too expensive"},
		"default": {fstest.MapFS{"x.floto.hcl": {Data: []byte(
			"variable \"a\" {\n  default = " + strings.Repeat("[for a in [1,1,1,1,1,1,1,1,1,1] : ", 12) + "a" + strings.Repeat("]", 12) + "\n}\n")}}, "Evaluation too expensive"},
	} {
		t.Run(name, func(t *testing.T) { expectDiagnostic(t, c.fsys, c.want) })
	}
}

// expectDiagnostic loads a project that must fail before it has cost much.
func expectDiagnostic(t *testing.T, fsys fs.FS, want string) {
	t.Helper()
	p := newProject(fsys, Options{steps: budget / 20})
	s := p.evaluate()
	cfg := s.config()
	p.checkSites(cfg)
	diags := p.finish(s.results)
	checkSpent(t, p.meter)
	costs := []string{"Value too large", "Evaluation too expensive"}
	if !slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool {
		return d.Summary == want || slices.Contains(costs, d.Summary) && slices.Contains(costs, want)
	}) {
		t.Errorf("want %q, got %v", want, diags)
	}
	if len(diags) > 100 {
		t.Errorf("%d diagnostics", len(diags))
	}
	if err := WriteDiagnostics(io.Discard, diags, cfg.Files, DiagnosticsOptions{}); err != nil {
		t.Fatal(err)
	}
}

// checkSpent holds that evaluation ends where the budget does, give or take the
// value under way. Unlike the time that is the same on every machine.
func checkSpent(t *testing.T, m *meter) {
	t.Helper()
	const most = lookCost * maxValue
	if m.left < -most {
		t.Errorf("evaluation went on for %d units after the budget was used up", -m.left)
	}
}

// TestLoadLong works with lists of 50,000 elements, which reasonable projects
// may have, in ways that would compare all of their elements with each other.
func TestLoadLong(t *testing.T) {
	const long = "l = [for i in range(50) : [for j in range(1000) : \"x${i * 1000 + j}\"]]\nf = flatten(local.l)\n"
	body := strings.Join([]string{
		"a = distinct(local.f)", "b = tolist(local.f)", "c = toset(local.f)", "d = setunion(local.f, local.f)",
		"e = chunklist(local.f, 10)", "g = length(local.f) > 3 ? local.f : []", "h = distinct([for x in local.f : { a = x }])",
	}, "\n")
	start := processorTime(t)
	_, diags := Load(fstest.MapFS{"x.floto.hcl": {Data: []byte("locals {\n" + long + body + "\n}\n")}}, Options{})
	if diags.HasErrors() {
		t.Error(diags)
	}
	if d := processorTime(t) - start; d > 30*time.Second {
		t.Errorf("it took %v of the processor", d)
	}
}

// processorTime is the time that the process has had of the processor, which
// other processes do not lengthen as they do the time on the clock.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestCompileExpensive renders templates of root definitions that would take
// hours.
func TestCompileExpensive(t *testing.T) {
	loops := "%{ for a in range(1000) }%{ for b in range(1000) }%{ for c in range(1000) }x%{ endfor }%{ endfor }%{ endfor }"
	document := "document \"a\" {\n  title = \"a\"\n  template = \"../documents/plain.txt\"\n}\n"
	known := strings.Replace(loops, "range(1000)", "range(length(patch.id) * 30)", 1)
	for name, c := range map[string]struct{ root, template, want string }{
		"document":   {document, loops, "Evaluation too expensive"},
		"after load": {document, known, "Evaluation too expensive"},
		"title":      {"document \"a\" {\n  title = \"" + loops + "\"\n  template = \"../documents/plain.txt\"\n}\n", "", "Evaluation too expensive"},
		"itself":     {document, `${templatefile("plain.txt", {})}`, "Error in function call"},
		"variable":   {"variable \"a\" {\n  default = [for a in range(1000) : [for b in range(1000) : [for c in range(1000) : c]]]\n}\n", "", "Function calls not allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := rootsFS([]byte("host \"a\" {}\n"+c.root), []byte("services:\n  web:\n    image: web\n"), []byte(c.template), nil)
			cfg, diags := Load(fsys, Options{steps: budget / 20})
			if !diags.HasErrors() {
				for _, s := range cfg.Sites {
					_, more := s.Compile(CompileInput{Images: map[string]string{}, Patch: PatchInfo{ID: "a-long-enough-id-of-a-patch"}})
					diags = append(diags, more...)
					checkSpent(t, s.source.scope.project.meter)
				}
			}
			if !slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool { return d.Summary == c.want }) {
				t.Errorf("want %q, got %v", c.want, diags)
			}
		})
	}
}

func TestLoadUnreadable(t *testing.T) {
	for name, c := range map[string]struct {
		file *fstest.MapFile
		want string
	}{
		"too large": {&fstest.MapFile{Data: make([]byte, MaxSourceSize+1)}, "larger than"},
		"a pipe":    {&fstest.MapFile{Mode: fs.ModeNamedPipe}, "not a regular file"},
		"not UTF-8": {&fstest.MapFile{Data: []byte("locals {\n  a = \"\xff\"\n}\n")}, "UTF-8"},
		"NULs":      {&fstest.MapFile{Data: make([]byte, 100)}, "Invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			_, diags := Load(fstest.MapFS{"x.floto.hcl": c.file}, Options{})
			if !diags.HasErrors() || !strings.Contains(diags[0].Summary+" "+diags[0].Detail, c.want) {
				t.Errorf("want %q, got %v", c.want, diags)
			}
		})
	}
}

func TestLoadMissingFolder(t *testing.T) {
	_, diags := Load(brokenFS{}, Options{})
	if !diags.HasErrors() || diags[0].Summary != "Cannot read the project folder" {
		t.Errorf("got %v", diags)
	}
}

type brokenFS struct{}

func (brokenFS) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
}
