package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// docsMark ends the written part of docs/cli.md; the reference behind it is
// generated.
const docsMark = "<!-- What follows is generated: make golden. -->\n"

func TestCommandReference(t *testing.T) {
	const name = "../../docs/cli.md"
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	written, _, ok := strings.Cut(string(b), docsMark)
	if !ok {
		t.Fatalf("%s has no line %q", name, docsMark)
	}
	want := written + docsMark + reference(newRootCommand(&app{}))
	if string(b) == want {
		return
	}
	if !*update {
		t.Fatalf("%s is out of date: run make golden", name)
	}
	if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// reference describes all commands that are not hidden.
func reference(root *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## Global flags\n\n%s", flagTable(root.PersistentFlags()))
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			if sub.Hidden {
				continue
			}
			describeCommand(&b, sub)
			walk(sub)
		}
	}
	walk(root)
	return b.String()
}

func describeCommand(b *strings.Builder, c *cobra.Command) {
	fmt.Fprintf(b, "\n## %s\n\n", strings.TrimPrefix(c.CommandPath(), "flotobuild "))
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	fmt.Fprintf(b, "%s\n", text)
	if !c.HasSubCommands() {
		fmt.Fprintf(b, "\n    %s\n", c.UseLine())
	}
	if table := flagTable(c.NonInheritedFlags()); table != "" {
		fmt.Fprintf(b, "\n%s", table)
	}
}

func flagTable(flags *pflag.FlagSet) string {
	var rows strings.Builder
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		name, usage := pflag.UnquoteUsage(f)
		if name != "" && f.Value.Type() != "bool" {
			name = "=" + name
		}
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" {
			usage += fmt.Sprintf(" (default %s)", f.DefValue)
		}
		fmt.Fprintf(&rows, "| `-%s%s` | %s |\n", f.Name, name, usage)
	})
	if rows.Len() == 0 {
		return ""
	}
	return "| flag | |\n| --- | --- |\n" + rows.String()
}
