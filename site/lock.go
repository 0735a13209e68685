package site

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A Holder is who holds the writers' lock.
type Holder struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
	What  string    `json:"what"` // for people: "import of …"
}

// String says who it is.
func (h Holder) String() string {
	if h.PID == 0 {
		return "another process"
	}
	return fmt.Sprintf("the process with pid %d on %s, since %s: %s", h.PID, h.Host, h.Since.Format(time.RFC3339), h.What)
}

// A LockedError says that somebody else is changing the site.
type LockedError struct{ Holder Holder }

// Error names the holder.
func (e *LockedError) Error() string {
	return fmt.Sprintf("the site is being changed by %s", e.Holder)
}

// Times of waiting for the lock.
const (
	lockWait = 10 * time.Second // before Lock gives up
	lockPoll = 10 * time.Millisecond
)

// Lock takes the writers' lock, which keeps all others from changing the site
// until unlock is called or the process ends. what says for others what it is
// held for. Lock waits some seconds for a holder, then fails with a
// *LockedError.
//
// It is not reentrant: Import, Activate, Rollback and GC take it themselves.
// The first holder after a crash cleans up what that left.
func (s *Site) Lock(ctx context.Context, what string) (unlock func() error, err error) {
	l, err := s.lock(ctx, what, lockWait)
	if err != nil {
		return nil, err
	}
	if err := s.recover(); err != nil {
		return nil, errors.Join(err, l.unlock())
	}
	return l.unlock, nil
}

// A heldLock is the writers' lock.
type heldLock struct{ f *os.File }

// lock takes the lock and does not clean up. A wait of 0 means as long as ctx
// lasts.
func (s *Site) lock(ctx context.Context, what string, wait time.Duration) (*heldLock, error) {
	f, err := os.OpenFile(s.path(lockFile), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("cannot lock site %q: %w", s.Name(), err)
	}
	for end := time.Now().Add(wait); ; {
		err := flock(f, unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			l := &heldLock{f}
			l.sign(what)
			return l, nil
		case !errors.Is(err, unix.EWOULDBLOCK):
			err = fmt.Errorf("cannot lock site %q: %w", s.Name(), err)
		case wait > 0 && time.Now().After(end):
			err = &LockedError{readHolder(f)}
		default:
			select {
			case <-ctx.Done():
				err = context.Cause(ctx)
			case <-time.After(lockPoll):
				continue
			}
		}
		f.Close()
		return nil, err
	}
}

// sign writes who holds the lock. The kernel keeps it, whatever the file says:
// a disk that is too full for the name is no reason to stop.
func (l *heldLock) sign(what string) {
	host, _ := os.Hostname()
	b, err := json.Marshal(Holder{os.Getpid(), host, orNow(time.Time{}), what})
	if err != nil || l.f.Truncate(0) != nil {
		return
	}
	_, _ = l.f.WriteAt(append(b, '\n'), 0)
}

func (l *heldLock) unlock() error {
	return errors.Join(l.f.Truncate(0), l.f.Close())
}

func readHolder(f *os.File) Holder {
	var h Holder
	b := make([]byte, 4<<10)
	n, _ := f.ReadAt(b, 0)
	if json.Unmarshal(b[:n], &h) != nil {
		return Holder{}
	}
	return h
}

// Busy tells who holds the writers' lock; false where nobody does. Who may only
// read the store may ask.
func (s *Site) Busy() (Holder, bool, error) {
	f, err := os.Open(s.path(lockFile))
	if errors.Is(err, os.ErrNotExist) {
		return Holder{}, false, nil
	}
	if err != nil {
		return Holder{}, false, fmt.Errorf("cannot read the lock of site %q: %w", s.Name(), err)
	}
	defer f.Close()
	if !held(f) {
		return Holder{}, false, nil
	}
	return readHolder(f), true, nil
}

// held says whether somebody has a lock on a file that keeps others from it. To
// find out takes a shared lock for a moment: who wants the lock tells that from
// a holder by held, too.
func held(f *os.File) bool {
	return errors.Is(flock(f, unix.LOCK_SH|unix.LOCK_NB), unix.EWOULDBLOCK)
}

func flock(f *os.File, how int) error {
	for {
		if err := unix.Flock(int(f.Fd()), how); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
