package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/executor/engine"
)

func newEngineCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "engine",
		Short: "Look after the embedded build engine",
		Long: "The embedded build engine starts by itself when apply needs it, serves all projects of\n" +
			"its user, and ends when nobody has used it for a while.",
		Args: cobra.ArbitraryArgs,
		RunE: withoutCommand,
	}
	cmd.AddCommand(newEngineStatusCommand(a), newEngineStopCommand(a), newEnginePruneCommand(a),
		newEngineLogsCommand(a), newEngineServeCommand())
	return cmd
}

// engineOptions name the engine that the commands are about: the embedded one
// of this user.
func engineOptions() (engine.Options, error) {
	dir, err := engine.DefaultStateDir()
	return engine.Options{StateDir: dir, Version: version}, err
}

// An engineStatus is the machine form of engine status.
type engineStatus struct {
	FormatVersion int            `json:"formatVersion"`
	StateDir      string         `json:"stateDir"`
	LogFile       string         `json:"logFile"`
	Running       bool           `json:"running"`
	Engine        *engine.Record `json:"engine,omitempty"`
	CacheBytes    *int64         `json:"cacheBytes,omitempty"` // where a running engine could be asked
}

func newEngineStatusCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Tell whether the embedded engine runs, and how large its cache is",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts, err := engineOptions()
			if err != nil {
				return err
			}
			s, err := readStatus(cmd.Context(), opts)
			if err != nil {
				return err
			}
			if !asJSON {
				a.showStatus(s)
				return nil
			}
			b, err := json.MarshalIndent(s, "", "  ")
			if err != nil {
				return err
			}
			a.ui.printJSON(b)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func readStatus(ctx context.Context, opts engine.Options) (engineStatus, error) {
	s := engineStatus{FormatVersion: 1, StateDir: opts.StateDir, LogFile: engine.LogFile(opts.StateDir)}
	record, running, err := engine.Status(opts.StateDir)
	if err != nil || !running {
		return s, err
	}
	s.Running, s.Engine = true, &record
	conn, err := engine.Attach(ctx, opts)
	if err != nil {
		return s, err
	}
	defer conn.Close()
	usage, err := conn.Usage(ctx)
	s.CacheBytes = &usage.Size
	return s, err
}

func (a *app) showStatus(s engineStatus) {
	if s.Running {
		a.ui.printf("running: pid %d, version %s, since %s\n", s.Engine.PID, s.Engine.Version, s.Engine.Started.Local().Format(time.DateTime))
	} else {
		a.ui.printf("not running; apply starts it when it is needed\n")
	}
	if s.CacheBytes != nil {
		a.ui.printf("cache:   %s\n", byteSize(*s.CacheBytes))
	}
	a.ui.printf("state:   %s\nlog:     %s\n", s.StateDir, s.LogFile)
}

func newEngineStopCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "stop",
		Short: "End the embedded engine once its builds have ended, and wait for that",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts, err := engineOptions()
			if err != nil {
				return err
			}
			running, err := stopEngine(cmd.Context(), opts.StateDir)
			if err != nil {
				return err
			}
			if running {
				a.ui.notef("the engine has ended")
			} else {
				a.ui.notef("the engine was not running")
			}
			return nil
		},
	}
}

// stopEngine asks the engine to end and waits until it has.
func stopEngine(ctx context.Context, dir string) (bool, error) {
	running, err := engine.Stop(ctx, dir)
	if err != nil || !running {
		return running, err
	}
	for {
		select {
		case <-ctx.Done():
			return true, context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
		// An engine that is ending has taken its record away already.
		if _, running, _ := engine.Status(dir); !running {
			return true, nil
		}
	}
}

func newEnginePruneCommand(a *app) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Remove from the embedded engine's cache what nothing uses",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts, err := engineOptions()
			if err != nil {
				return err
			}
			conn, err := engine.Connect(cmd.Context(), opts)
			if err != nil {
				return err
			}
			defer conn.Close()
			removed, err := conn.Prune(cmd.Context(), all)
			if err != nil {
				return err
			}
			a.ui.printf("removed %s, %s\n", count(removed.Records, "record"), byteSize(removed.Size))
			return nil
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "remove internal and shared records, too")
	return cmd
}

func newEngineLogsCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "logs",
		Short: "Print the embedded engine's log",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			opts, err := engineOptions()
			if err != nil {
				return err
			}
			f, err := os.Open(engine.LogFile(opts.StateDir))
			if os.IsNotExist(err) {
				a.ui.notef("there is no log yet: the engine has not been started on this machine")
				return nil
			}
			if err != nil {
				return fmt.Errorf("cannot read the engine's log: %w", err)
			}
			defer f.Close()
			if _, err := io.Copy(a.ui.out, f); err != nil {
				return fmt.Errorf("cannot read the engine's log: %w", err)
			}
			return nil
		},
	}
}

// newEngineServeCommand is the engine's process itself; the engine package
// starts it.
func newEngineServeCommand() *cobra.Command {
	var opts engine.ServeOptions
	cmd := &cobra.Command{
		Use:    "serve",
		Short:  "Be the embedded engine",
		Hidden: true,
		Args:   noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts.Version = version
			return engine.Serve(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.StateDir, "state", "", "state folder (`DIR`)")
	cmd.Flags().StringVar(&opts.Runc, "runc", "", "OCI runtime for RUN steps (`PATH`)")
	return cmd
}
