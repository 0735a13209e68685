package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/site"
)

func newSiteVarsCommand(a *app, f *siteFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "vars",
		Short: "Set values that only the site knows",
		Long: "vars works on the values that root definitions leave to the site: addresses, passwords. They stay\n" +
			"in the site's store, and site activate compiles the patch with them.",
		Args: cobra.ArbitraryArgs,
		RunE: withoutCommand,
	}
	cmd.AddCommand(newSiteVarsSetCommand(a, f), newSiteVarsUnsetCommand(a, f), newSiteVarsRestoreCommand(a, f), newSiteVarsListCommand(a, f))
	return cmd
}

func newSiteVarsSetCommand(a *app, f *siteFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "set NAME[=VALUE]",
		Short: "Set a value",
		Long: "set keeps a value for the next site activate. Without =VALUE it asks for the value on the terminal\n" +
			"and does not show it, or reads standard input less the newline at its end: so secrets do not get\n" +
			"into the shell's history. Texts, numbers and true or false are written as they are, lists and\n" +
			"objects as in the configuration: 'ports=[8080, 8081]'.",
		Args: oneVariable,
		RunE: func(cmd *cobra.Command, args []string) error { return a.siteVarsSet(cmd.Context(), f, args[0]) },
	}
}

// oneVariable demands the name of a variable.
func oneVariable(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return &hintError{errors.New(cmd.CommandPath() + " needs one variable"), "flotobuild site vars list shows what the patches need"}
}

func (a *app) siteVarsSet(ctx context.Context, f *siteFlags, assignment string) error {
	s, err := f.open()
	if err != nil {
		return err
	}
	name, value, given := strings.Cut(assignment, "=")
	if !given {
		if value, err = a.readValue(ctx, name); err != nil {
			return err
		}
	}
	declared, sensitive, err := s.CheckVar(ctx, name, value)
	if err != nil {
		return err
	}
	if err := s.SetVar(ctx, name, value, operator()); err != nil {
		return withSiteHint(err)
	}
	a.ui.printf("%s: set\n", safe(name))
	switch {
	case !declared:
		a.ui.warnf("neither the active nor the newest patch needs %q: flotobuild site vars list shows what they need", name)
	case sensitive && given:
		a.ui.warnf("the value of %s stands in the shell's history now: give secrets without =VALUE", name)
	}
	return a.tellChanged(s)
}

// maxTyped bounds a value that is read, in bytes; the store has limits of its
// own.
const maxTyped = 2 << 20

// readValue reads a value where it leaves no trace.
func (a *app) readValue(ctx context.Context, name string) (string, error) {
	var b []byte
	var err error
	if isTerminal(a.ui.in) {
		b, err = askSecret(ctx, a.ui, fmt.Sprintf("Value of %s: ", safe(name)))
	} else {
		b, err = io.ReadAll(io.LimitReader(cancellable(ctx, a.ui.in), maxTyped))
		b = []byte(strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r"))
	}
	if err != nil {
		return "", fmt.Errorf("cannot read the value of %q: %w", name, err)
	}
	if len(b) == 0 {
		return "", &hintError{fmt.Errorf("the value of %q is empty; nothing was set", name), "write " + name + "= for an empty value"}
	}
	return string(b), nil
}

// tellChanged says that what is active was made with other values.
func (a *app) tellChanged(s *site.Site) error {
	changed, err := s.VarsChanged()
	if err != nil || !changed {
		return err
	}
	id, _, err := s.Active()
	a.ui.hintf("flotobuild site activate %s applies it", id)
	return err
}

func newSiteVarsUnsetCommand(a *app, f *siteFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "unset NAME",
		Short: "Remove a value",
		Long:  "unset removes a value from the site's store.",
		Args:  oneVariable,
		RunE:  func(cmd *cobra.Command, args []string) error { return a.siteVarsUnset(cmd.Context(), f, args[0]) },
	}
}

func (a *app) siteVarsUnset(ctx context.Context, f *siteFlags, name string) error {
	s, err := f.open()
	if err != nil {
		return err
	}
	if err := s.UnsetVar(ctx, name, operator()); err != nil {
		return withSiteHint(err)
	}
	a.ui.printf("%s: unset\n", safe(name))
	return a.tellChanged(s)
}

func newSiteVarsRestoreCommand(a *app, f *siteFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "restore",
		Short: "Set the values that the active patch was activated with",
		Long: "restore takes changes back that the active patch has not been activated with: values are set as they\n" +
			"were then, secrets among them. Values that the active patch does not need stay.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.siteVarsRestore(cmd.Context(), f) },
	}
}

func (a *app) siteVarsRestore(ctx context.Context, f *siteFlags) error {
	s, err := f.open()
	if err != nil {
		return err
	}
	names, err := s.RestoreVars(ctx, operator())
	if err != nil {
		return withSiteHint(err)
	}
	if len(names) == 0 {
		a.ui.printf("the values are those that the active patch was activated with\n")
	}
	for _, name := range names {
		a.ui.printf("%s: restored\n", safe(name))
	}
	return nil
}

func newSiteVarsListCommand(a *app, f *siteFlags) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the values that patches need",
		Long: "list prints the variables that the active patch (*) and the newest one (+) leave to the site, and\n" +
			"what was set besides. Sensitive values are not shown, nor those that neither patch knows.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.siteVarsList(cmd.Context(), f, asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) siteVarsList(ctx context.Context, f *siteFlags, asJSON bool) error {
	s, err := f.open()
	if err != nil {
		return err
	}
	all, err := s.Variables(ctx)
	if err != nil {
		return err
	}
	active, _, err := s.Active()
	if err != nil {
		return err
	}
	if asJSON {
		return a.printSiteJSON(map[string]any{"site": s.Name(), "variables": all})
	}
	if len(all) == 0 {
		a.ui.printf("no patch leaves variables to site %s, and none is set\n", safe(s.Name()))
		return nil
	}
	w := tabwriter.NewWriter(printer{a.ui}, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "   VARIABLE\tTYPE\tVALUE\tDESCRIPTION")
	for _, v := range all {
		fmt.Fprintf(w, "%s %s\t%s\t%s\t%s\n", varMark(&v, active), safe(v.Name), safe(oneLine(v.Type)), safe(varText(&v)), safe(oneLine(v.Description)))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if slices.ContainsFunc(all, func(v site.Variable) bool { return v.Missing() }) {
		a.ui.hintf("flotobuild site vars set NAME asks for a value that is missing")
	}
	return nil
}

// varMark tells which patches need a variable.
func varMark(v *site.Variable, active string) string {
	mark := []byte("  ")
	for _, id := range v.Patches {
		if id == active {
			mark[0] = '*'
		} else {
			mark[1] = '+'
		}
	}
	return string(mark)
}

// varText shows the value of a variable as far as it may be seen.
func varText(v *site.Variable) string {
	switch {
	case v.Missing():
		return "missing"
	case !v.Set:
		return "default"
	case v.Type == "" || v.Sensitive:
		return "set"
	}
	return strconv.Quote(v.Value)
}

// oneLine folds white space.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
