package engine

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// IdleTimeout is how long the embedded engine waits without a client before it
// ends.
const IdleTimeout = 10 * time.Minute

// Options say which engine Connect uses.
type Options struct {
	// Hosts are BuildKit addresses. With none, the embedded engine is used.
	Hosts []string
	// StateDir is the embedded engine's folder; DefaultStateDir when empty.
	StateDir string
	// Version identifies this program; an engine of another version is asked to
	// end, and replaced once its last client has gone.
	Version string
	// Runc names the OCI runtime for RUN steps; empty means FindRunc.
	Runc string
	// InProcess runs the embedded engine inside this process. It needs root.
	InProcess bool
	// Wrap, when set, sees every connection to the engine: tests count bytes.
	Wrap ConnWrapper
}

// DefaultStateDir returns $XDG_STATE_HOME/flotobuild/engine, with the default
// of the XDG base directory specification.
func DefaultStateDir() (string, error) {
	base := os.Getenv("XDG_STATE_HOME")
	if base == "" || !filepath.IsAbs(base) {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("cannot find the engine's state folder: %w; set XDG_STATE_HOME", err)
		}
		base = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(base, "flotobuild", "engine"), nil
}

// A Record is engine.json: who serves the state folder.
type Record struct {
	PID     int       `json:"pid"`
	Version string    `json:"version"`
	Program string    `json:"program"` // identity of the program's file
	Started time.Time `json:"started"`
}

func lockFile(dir string) string   { return filepath.Join(dir, "engine.lock") }
func startFile(dir string) string  { return filepath.Join(dir, "start.lock") }
func socketFile(dir string) string { return filepath.Join(dir, "engine.sock") }
func recordFile(dir string) string { return filepath.Join(dir, "engine.json") }

// LogFile is the engine's log inside the state folder.
func LogFile(dir string) string { return filepath.Join(dir, "engine.log") }

// buildkitRoot is the part of the state folder that BuildKit owns.
func buildkitRoot(dir string) string { return filepath.Join(dir, "buildkit") }

// ReadRecord reads engine.json of a state folder. The record may be that of an
// engine which was killed: Status tells.
func ReadRecord(dir string) (Record, error) {
	var r Record
	b, err := os.ReadFile(recordFile(dir))
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("cannot read %q: %w", recordFile(dir), err)
	}
	return r, nil
}

func writeRecord(dir, version string) error {
	b, err := json.MarshalIndent(Record{
		PID: os.Getpid(), Version: version, Program: programID(), Started: time.Now().UTC(),
	}, "", "  ")
	if err != nil {
		return err
	}
	tmp := recordFile(dir) + ".tmp"
	if err := os.WriteFile(tmp, append(b, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, recordFile(dir))
}

// programID changes whenever the program's file does, so that a rebuilt tool
// does not go on with the engine of the old one.
func programID() string {
	exe, err := os.Executable()
	if err != nil {
		return ""
	}
	st, err := os.Stat(exe)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d-%d", st.Size(), st.ModTime().UnixNano())
}
