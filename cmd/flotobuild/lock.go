package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// A lockHolder says who holds a project's lock; the lock file holds it as JSON.
type lockHolder struct {
	PID     int       `json:"pid"`
	Command string    `json:"command"`
	Since   time.Time `json:"since"`
}

// lockProject takes the lock of a project's data folder for a command, and waits
// for it as long as timeout says. The kernel frees it when the process ends, however it
// does.
func lockProject(ctx context.Context, dataDir, command string, timeout time.Duration) (unlock func(), err error) {
	if err := makeDataDir(dataDir); err != nil {
		return nil, cannotLock(err)
	}
	name := filepath.Join(dataDir, "lock")
	lock := flock.New(name)
	locked, err := lock.TryLock()
	if err == nil && !locked && timeout > 0 {
		wait, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		locked, err = lock.TryLockContext(wait, 50*time.Millisecond)
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			err = nil
		}
	}
	switch {
	case ctx.Err() != nil && !locked:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, cannotLock(err)
	case !locked:
		return nil, &hintError{
			fmt.Errorf("cannot lock the project: %s is at work in it", holder(name)),
			"wait for it to end, or give -lock-timeout=10m to wait by itself",
		}
	}
	if err := recordHolder(name, command); err != nil {
		lock.Unlock()
		return nil, cannotLock(err)
	}
	return func() {
		// Who holds it is gone before the lock is.
		_ = os.Truncate(name, 0)
		lock.Unlock()
	}, nil
}

// cannotLock is about a folder that is read-only, full, or on a file system
// without locks.
func cannotLock(err error) error {
	return &hintError{
		fmt.Errorf("cannot lock the project: %w", err),
		"FLOTOBUILD_DATA_DIR names another folder for flotobuild's own files: it must be writable, on a file system with locks, and the same for all who work in this project",
	}
}

func recordHolder(name, command string) error {
	b, err := json.Marshal(lockHolder{os.Getpid(), command, time.Now().UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(b, '\n'), 0o666)
}

// holder names who holds the lock, as far as the file tells.
func holder(name string) string {
	var h lockHolder
	b, err := os.ReadFile(name)
	if err != nil || json.Unmarshal(b, &h) != nil || h.PID == 0 {
		return "another flotobuild"
	}
	return fmt.Sprintf("%q (pid %d, since %s)", h.Command, h.PID, h.Since.Format(time.RFC3339))
}
