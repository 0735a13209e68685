package deploy

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
)

// A BusyError says that another redeploy of the site is under way.
type BusyError struct{ PID int } // 0 where it is not known

// Error names the process.
func (e *BusyError) Error() string {
	if e.PID == 0 {
		return "cannot redeploy: another redeploy of the site is under way"
	}
	return fmt.Sprintf("cannot redeploy: the process with pid %d redeploys the site", e.PID)
}

// lock keeps redeploys of one site apart. The site's own lock is not held, so
// that patches can be imported meanwhile.
func (d *Deployment) lock() (unlock func(), err error) {
	name := d.path(lockFile)
	l := flock.New(name)
	locked, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("cannot lock the deployment: %w", err)
	}
	if !locked {
		b, _ := os.ReadFile(name)
		pid, _ := strconv.Atoi(strings.TrimSpace(string(b)))
		return nil, &BusyError{pid}
	}
	// Who holds it is for people: a disk too full for it is no reason to stop.
	_ = os.WriteFile(name, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o666)
	return func() {
		_ = os.Truncate(name, 0)
		l.Unlock()
	}, nil
}
