package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/site/access"
)

func newSiteTokenCommand(a *app, f *siteFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Say who may use the site's page, API and registry",
		Long: "token keeps the tokens that people and programs show to site serve: in a browser to sign in, in\n" +
			"the API as a bearer, in docker login as the password. A viewer sees everything and pulls images;\n" +
			"an operator imports, activates, rolls back and redeploys too. A running server takes changes at once.",
		Args: cobra.ArbitraryArgs,
		RunE: withoutCommand,
	}
	cmd.AddCommand(newSiteTokenAddCommand(a, f), newSiteTokenListCommand(a, f), newSiteTokenRemoveCommand(a, f))
	return cmd
}

// tokens opens the file of tokens of the site that the flags name.
func (f *siteFlags) tokens(named string) (*access.File, error) {
	s, err := f.open()
	if err != nil {
		return nil, err
	}
	return access.Open(tokensFile(s, named)), nil
}

func newSiteTokenAddCommand(a *app, f *siteFlags) *cobra.Command {
	var file, role string
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Make a token, and print it this once",
		Long: "add makes a token for NAME, whom the history will name, and prints it. Only its digest is kept:\n" +
			"a token that is lost is removed, and made anew.",
		Args: oneName("add"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := access.ParseRole(role)
			if err != nil {
				return fmt.Errorf("-role: %w", err)
			}
			tokens, err := f.tokens(file)
			if err != nil {
				return err
			}
			secret, err := tokens.Add(cmd.Context(), args[0], r)
			if err != nil {
				return err
			}
			a.ui.printf("%s\n", secret)
			a.ui.notef("this is the token of %s, %s: keep it well, it is not shown again", args[0], r)
			return nil
		},
	}
	cmd.Flags().StringVar(&role, "role", string(access.Viewer), "what it allows (`ROLE`): viewer or operator")
	registerTokens(cmd, &file)
	return cmd
}

func newSiteTokenListCommand(a *app, f *siteFlags) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List whose tokens there are",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			tokens, err := f.tokens(file)
			if err != nil {
				return err
			}
			all, err := tokens.Tokens()
			if err != nil {
				return err
			}
			wide := 0
			for _, t := range all {
				wide = max(wide, len(t.Name))
			}
			for _, t := range all {
				a.ui.printf("%s%s  %-8s  %s\n", t.Name, strings.Repeat(" ", wide-len(t.Name)), t.Role, t.Created.Local().Format(shortTime))
			}
			if len(all) == 0 {
				a.ui.notef("there is no token")
			}
			return nil
		},
	}
	registerTokens(cmd, &file)
	return cmd
}

func newSiteTokenRemoveCommand(a *app, f *siteFlags) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "remove NAME",
		Short: "Take somebody's token away",
		Args:  oneName("remove"),
		RunE: func(cmd *cobra.Command, args []string) error {
			tokens, err := f.tokens(file)
			if err != nil {
				return err
			}
			if err := tokens.Remove(cmd.Context(), args[0]); err != nil {
				return &hintError{err, "flotobuild site token list shows whose there are"}
			}
			a.ui.notef("the token of %s is good for nothing now", args[0])
			return nil
		},
	}
	registerTokens(cmd, &file)
	return cmd
}

// oneName demands the name of a token's owner.
func oneName(command string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return &hintError{errors.New("site token " + command + " needs the name of the token's owner"), "usage: flotobuild site token " + command + " NAME"}
	}
}
