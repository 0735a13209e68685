// Package regular opens regular files only.
package regular

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// ErrNot is the error for pipes, sockets, devices and folders.
var ErrNot = errors.New("this is no regular file")

// Open opens a file for reading and refuses what is no regular file, at once:
// without O_NONBLOCK the opening of a pipe would wait for a writer. Errors of
// the system name the path; ErrNot does not.
func Open(path string) (*os.File, fs.FileInfo, error) {
	return check(os.OpenFile(path, flags, 0))
}

// OpenIn is Open for a file of a folder, which links must not leave.
func OpenIn(root *os.Root, name string) (*os.File, fs.FileInfo, error) {
	return check(root.OpenFile(name, flags, 0))
}

const flags = os.O_RDONLY | syscall.O_NONBLOCK

func check(f *os.File, err error) (*os.File, fs.FileInfo, error) {
	if errors.Is(err, syscall.ENXIO) {
		return nil, nil, ErrNot // a socket
	}
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = ErrNot
	}
	if err != nil {
		_ = f.Close()
		return nil, nil, err
	}
	return f, info, nil
}
