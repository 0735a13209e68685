package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/lang"
)

func newGraphCommand(a *app) *cobra.Command {
	var vars variableFlags
	var mermaid bool
	cmd := &cobra.Command{
		Use:   "graph",
		Short: "Print what refers to what, for Graphviz or Mermaid",
		Long:  "graph prints the dependency graph of the configuration in the DOT language. An arrow leads from\na block to what it refers to.",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			options, err := vars.read()
			if err != nil {
				return err
			}
			p, err := a.load(cmd.Context(), options, false)
			if err != nil {
				return err
			}
			defer a.keep(p)
			draw := dot
			if mermaid {
				draw = mermaidFlowchart
			}
			a.ui.printf("%s", draw(p.config.Graph))
			return nil
		},
	}
	vars.define(cmd)
	cmd.Flags().BoolVar(&mermaid, "mermaid", false, "print a Mermaid flowchart")
	return cmd
}

// dot writes a graph for Graphviz.
func dot(g lang.Graph) string {
	var b strings.Builder
	b.WriteString("digraph flotobuild {\n  rankdir = LR\n  node [shape = box]\n")
	for _, n := range g {
		fmt.Fprintf(&b, "  %s\n", strconv.Quote(n.Address))
		for _, r := range n.References {
			fmt.Fprintf(&b, "  %s -> %s\n", strconv.Quote(n.Address), strconv.Quote(r))
		}
	}
	b.WriteString("}\n")
	return b.String()
}

// mermaidFlowchart writes a graph for Mermaid, whose ids are words.
func mermaidFlowchart(g lang.Graph) string {
	ids := make(map[string]string)
	for i, n := range g {
		ids[n.Address] = fmt.Sprintf("n%d", i)
	}
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	escape := strings.NewReplacer(`"`, "#quot;", "<", "#lt;", ">", "#gt;")
	for _, n := range g {
		fmt.Fprintf(&b, "  %s[\"%s\"]\n", ids[n.Address], escape.Replace(n.Address))
	}
	for _, n := range g {
		for _, r := range n.References {
			fmt.Fprintf(&b, "  %s --> %s\n", ids[n.Address], ids[r])
		}
	}
	return b.String()
}
