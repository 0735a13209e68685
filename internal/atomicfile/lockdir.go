package atomicfile

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ErrLocked means that somebody else holds a lock and did not let go of it.
var ErrLocked = errors.New("it is locked")

// LockDir locks a folder against others that call LockDir, and waits for them up
// to timeout. The kernel frees the lock when the process ends, and no file is
// made for it. Where the file system has no locks for folders, as NFS, it does
// nothing: those who rely on it must not rely on it alone.
func LockDir(ctx context.Context, dir string, timeout time.Duration) (unlock func(), err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot lock the folder: %w", err)
	}
	for end := time.Now().Add(timeout); ; {
		err := flock(d, unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil || noLocks(err) || errors.Is(err, unix.EBADF):
			return func() { d.Close() }, nil
		case !errors.Is(err, unix.EWOULDBLOCK):
			err = fmt.Errorf("cannot lock the folder %q: %w", dir, err)
		case time.Now().After(end):
			err = fmt.Errorf("cannot lock the folder %q: %w by %s", dir, ErrLocked, holder(d))
		default:
			select {
			case <-ctx.Done():
				err = context.Cause(ctx)
			case <-time.After(10 * time.Millisecond):
				continue
			}
		}
		d.Close()
		return nil, err
	}
}

// holder names the process that holds the lock on a file, as far as the kernel
// tells: processes of other machines and containers have no name here.
func holder(d *os.File) string {
	const unknown = "another process"
	var st unix.Stat_t
	f, err := os.Open("/proc/locks")
	if err != nil || unix.Fstat(int(d.Fd()), &st) != nil {
		return unknown
	}
	defer f.Close()
	inode := fmt.Sprintf("%02x:%02x:%d", unix.Major(uint64(st.Dev)), unix.Minor(uint64(st.Dev)), st.Ino)
	for s := bufio.NewScanner(f); s.Scan(); {
		// 1: FLOCK  ADVISORY  WRITE 4711 fe:00:12345 0 EOF
		w := strings.Fields(s.Text())
		if len(w) < 6 || w[1] != "FLOCK" || w[5] != inode {
			continue
		}
		if pid, err := strconv.Atoi(w[4]); err == nil && pid > 0 {
			return process(pid)
		}
	}
	return unknown
}

func process(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	words := strings.Split(strings.TrimRight(string(b), "\x00"), "\x00")
	if err != nil || words[0] == "" {
		return fmt.Sprintf("the process with pid %d", pid)
	}
	words[0] = filepath.Base(words[0])
	return fmt.Sprintf("%q (pid %d)", strings.Join(words[:min(2, len(words))], " "), pid)
}
