package main

import (
	"slices"
	"testing"
)

func TestCommandLine(t *testing.T) {
	tests := []struct {
		name string
		args []string
		env  map[string]string
		want []string
	}{
		{"nothing", nil, nil, nil},
		{"one dash", []string{"apply", "-auto-approve", "-var", "a=-b"}, nil, []string{"apply", "--auto-approve", "--var", "a=-b"}},
		{"value with a dash", []string{"plan", "-var", "-x"}, nil, []string{"plan", "--var", "-x"}},
		{"two dashes", []string{"plan", "--json"}, nil, []string{"plan", "--json"}},
		{"short help", []string{"plan", "-h"}, nil, []string{"plan", "-h"}},
		{"end of flags", []string{"show", "--", "-json"}, nil, []string{"show", "--", "-json"}},
		{"lone dash", []string{"show", "-"}, nil, []string{"show", "-"}},
		{
			"for all",
			[]string{"-chdir", "plan", "apply", "-detail"},
			map[string]string{"FLOTOBUILD_CLI_ARGS": "-no-color"},
			[]string{"--chdir", "plan", "apply", "--no-color", "--detail"},
		},
		{
			"for one",
			[]string{"apply"},
			map[string]string{"FLOTOBUILD_CLI_ARGS_apply": "-var 'a=b c'", "FLOTOBUILD_CLI_ARGS_plan": "-json"},
			[]string{"apply", "--var", "a=b c"},
		},
		{
			"for a command below another",
			[]string{"engine", "status"},
			map[string]string{"FLOTOBUILD_CLI_ARGS_engine_status": "-json"},
			[]string{"engine", "status", "--json"},
		},
		{"without a command", []string{"-no-color"}, map[string]string{"FLOTOBUILD_CLI_ARGS": "-json"}, []string{"--no-color"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			lookup := func(name string) (string, bool) { v, ok := tt.env[name]; return v, ok }
			got, err := commandLine(newRootCommand(&app{}), tt.args, lookup)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
