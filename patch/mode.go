package patch

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strconv"
)

// A Mode is the file mode of an entry. Its JSON form is octal, like "0755".
// Zero means ModeFile.
type Mode uint32

// The modes that entries can have.
const (
	ModeFile       Mode = 0o644
	ModeExecutable Mode = 0o755
	ModeSymlink    Mode = 0o120777 // the content is the link's target
)

// IsZero says whether the mode may be left out of the JSON form.
func (m Mode) IsZero() bool { return m == 0 || m == ModeFile }

// FileMode gives the mode as Go has it.
func (m Mode) FileMode() fs.FileMode {
	switch m {
	case ModeSymlink:
		return fs.ModeSymlink | 0o777
	case 0:
		return fs.FileMode(ModeFile)
	}
	return fs.FileMode(m)
}

// unix gives st_mode.
func (m Mode) unix() uint32 {
	switch m {
	case ModeSymlink:
		return uint32(m)
	case 0:
		m = ModeFile
	}
	return 0o100000 | uint32(m)
}

func (m Mode) check() error {
	switch m {
	case 0, ModeFile, ModeExecutable, ModeSymlink:
		return nil
	}
	return fmt.Errorf("mode %04o is none of 0644, 0755 and 0120777 (symbolic link)", uint32(m))
}

// MarshalJSON implements json.Marshaler.
func (m Mode) MarshalJSON() ([]byte, error) { return json.Marshal(fmt.Sprintf("%#o", uint32(m))) }

// UnmarshalJSON implements json.Unmarshaler.
func (m *Mode) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	n, err := strconv.ParseUint(s, 8, 32)
	if err != nil {
		return fmt.Errorf("mode %q is not octal", s)
	}
	*m = Mode(n)
	return nil
}
