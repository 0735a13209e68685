package facts

import (
	"io/fs"
	"syscall"
)

// stamped returns what tells one state of a file from another.
func stamped(info fs.FileInfo) (stamp, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return stamp{}, false
	}
	return stamp{
		size:  st.Size,
		mtime: st.Mtim.Nano(),
		ctime: st.Ctim.Nano(),
		inode: st.Ino,
		mode:  st.Mode,
	}, true
}
