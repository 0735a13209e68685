package main

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/envelope"
)

func newEnvelopeCheckCommand(a *app) *cobra.Command {
	var f openFlags
	var device string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check FILE...",
		Short: "Find what a device would refuse or lose",
		Long: "check judges the envelopes of one device, whoever made them, against all limits of devices.\n" +
			"Each file is a device's configuration or an envelope, as binary protobuf or as JSON. With -key\n" +
			"and -peer it looks into encrypted blobs, too.",
		Args: envelopeFiles,
		RunE: func(_ *cobra.Command, args []string) error {
			config, err := f.read(args)
			if err != nil {
				return err
			}
			opener, err := f.openerFor(a, config)
			if err != nil {
				return err
			}
			return a.showCheck(envelope.Check(device, config, opener), len(config.GetPatchEnvelopes()), asJSON)
		},
	}
	f.register(cmd)
	cmd.Flags().StringVar(&device, "device", "", "`NAME` of the device in messages")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// A checkedProblem is a problem in JSON.
type checkedProblem struct {
	Severity string `json:"severity"`
	Device   string `json:"device,omitempty"`
	Envelope string `json:"envelope,omitempty"`
	Blob     string `json:"blob,omitempty"`
	Summary  string `json:"summary"`
	Detail   string `json:"detail"`
}

func (a *app) showCheck(r *envelope.Report, envelopes int, asJSON bool) error {
	failed := envelope.HasErrors(r.Problems)
	if asJSON {
		problems := []checkedProblem{}
		for _, p := range r.Problems {
			problems = append(problems, checkedProblem{p.Severity.String(), p.Device, p.Envelope, p.Blob, p.Summary, p.Detail})
		}
		b, err := json.MarshalIndent(map[string]any{
			"formatVersion": 1, "ok": !failed, "envelopes": envelopes, "notOpened": r.Sealed, "problems": problems,
		}, "", "  ")
		if err != nil {
			return err
		}
		a.ui.printJSON(b)
	} else {
		a.problems(r.Problems)
		if r.Sealed > 0 {
			a.ui.hintf("%s not looked into; -key and -peer open them", count(r.Sealed, "encrypted item"))
		}
	}
	if failed {
		return exitError(1)
	}
	if !asJSON {
		a.ui.printf("%s: ok\n", count(envelopes, "envelope"))
	}
	return nil
}
