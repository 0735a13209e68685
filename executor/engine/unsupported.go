//go:build !linux

package engine

import (
	"context"
	"errors"
)

var errLinuxOnly = errors.New("the embedded build engine runs on Linux only; name a remote BuildKit in BUILDKIT_HOST, for example tcp://builder:1234 or ssh://builder")

func connectEmbedded(context.Context, Options) (*Conn, error) { return nil, errLinuxOnly }

// ServeOptions are the embedded engine's settings.
type ServeOptions struct{ StateDir, Version, Runc string }

// Serve runs the embedded engine; it exists on Linux only.
func Serve(context.Context, ServeOptions) error { return errLinuxOnly }

// Stop asks a running engine to end; it exists on Linux only.
func Stop(context.Context, string) (bool, error) { return false, errLinuxOnly }

// Status tells whether an engine serves the state folder.
func Status(string) (Record, bool, error) { return Record{}, false, nil }

// FindRunc looks for an OCI runtime; it exists on Linux only.
func FindRunc(string) (string, error) { return "", errLinuxOnly }
