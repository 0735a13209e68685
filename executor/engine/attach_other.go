//go:build !linux

package engine

import "context"

// Attach connects to a running embedded engine, which exists on Linux only.
func Attach(context.Context, Options) (*Conn, error) { return nil, errLinuxOnly }
