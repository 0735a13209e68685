package site

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// What happens to a site.
const (
	ActionInit     = "init"
	ActionImport   = "import"
	ActionActivate = "activate"
	ActionRollback = "rollback"
	ActionGC       = "gc"
	ActionRepair   = "repair" // a patch was imported again, since blobs were lost
	ActionSign     = "sign"   // a patch was imported again, with new signatures
	ActionTrust    = "trust"
)

// An Event says who did what when. Other packages have actions of their own.
type Event struct {
	Time   time.Time `json:"time"` // UTC; zero means now
	Action string    `json:"action"`
	By     string    `json:"by,omitempty"`    // who; as far as the caller knows
	Patch  string    `json:"patch,omitempty"` // id
	// From is the patch that was active before, where that has changed.
	From   string `json:"from,omitempty"`
	Detail string `json:"detail,omitempty"` // for people
	Error  string `json:"error,omitempty"`  // why it failed; empty for what was done
}

// maxHistory bounds what of the history is read, in bytes: its end.
const maxHistory = 64 << 20

// History gives the events, the oldest first. A line that a crash cut short is
// left out.
func (s *Site) History() ([]Event, error) {
	events, err := readHistory(s.path(historyFile), maxHistory)
	if err != nil {
		return nil, fmt.Errorf("cannot read the history of site %q: %w", s.Name(), err)
	}
	return events, nil
}

func readHistory(name string, limit int64) ([]Event, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	from := max(st.Size()-limit, 0)
	var events []Event
	lines := bufio.NewScanner(io.NewSectionReader(f, from, st.Size()-from))
	lines.Buffer(nil, int(limit))
	for lines.Scan() {
		var e Event
		if json.Unmarshal(lines.Bytes(), &e) == nil && e.Action != "" {
			events = append(events, e)
		}
	}
	return events, lines.Err()
}

// Record appends an event to the history, where it is on the disk when Record
// returns. It does not need the writers' lock.
func (s *Site) Record(e Event) error {
	e.Time = orNow(e.Time)
	if err := s.record(e); err != nil {
		return fmt.Errorf("cannot write the history of site %q: %w", s.Name(), err)
	}
	return nil
}

func (s *Site) record(e Event) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(s.path(historyFile), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := flock(f, unix.LOCK_EX); err != nil {
		return err
	}
	end, err := cutTorn(f)
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(append(line, '\n'), end); err != nil {
		return errors.Join(err, f.Truncate(end))
	}
	return f.Sync()
}

// cutTorn removes what a crash left of a line, and gives the end of the file.
func cutTorn(f *os.File) (int64, error) {
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	end := st.Size()
	for block := make([]byte, 4<<10); end > 0; {
		from := max(end-int64(len(block)), 0)
		n, err := f.ReadAt(block[:end-from], from)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if i := bytes.LastIndexByte(block[:n], '\n'); i >= 0 {
			end = from + int64(i) + 1
			break
		}
		end = from
	}
	if end < st.Size() {
		return end, f.Truncate(end)
	}
	return end, nil
}
