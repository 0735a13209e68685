package executor

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// checkSpace compares what all patches need with the space on the disks that
// they go to, before the first of them is begun.
func (r *run) checkSpace(drafts []*draft) error {
	byDisk := make(map[uint64][]*draft)
	var disks []uint64
	for _, d := range drafts {
		var st unix.Stat_t
		if err := unix.Stat(r.path(d.site.Patch.Output), &st); err != nil {
			continue // creating the file says more
		}
		disk := uint64(st.Dev)
		if byDisk[disk] == nil {
			disks = append(disks, disk)
		}
		byDisk[disk] = append(byDisk[disk], d)
	}
	slices.Sort(disks)
	var errs []error
	for _, disk := range disks {
		errs = append(errs, r.checkDisk(byDisk[disk]))
	}
	return errors.Join(errs...)
}

// checkDisk checks the drafts that go to one disk.
func (r *run) checkDisk(drafts []*draft) error {
	dir := r.path(drafts[0].site.Patch.Output)
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil || st.Blocks == 0 {
		return nil // unknown
	}
	need, free := needed(drafts), st.Bavail*uint64(st.Bsize)
	if need <= free {
		return nil
	}
	var sites []string
	for _, d := range drafts {
		sites = append(sites, d.site.Name)
	}
	return fmt.Errorf("cannot write patches of %s: they need %d bytes, and the disk of %q has %d free: %w", siteNames(sites), need, dir, free, unix.ENOSPC)
}

// needed is what the drafts take on the disk at most while they are written:
// volumes are made of the whole file, which is removed in the end.
func needed(drafts []*draft) uint64 {
	var n uint64
	for _, d := range drafts {
		size := d.desc.StoredSize()
		if e, err := encryptedSize(size, d.site.Patch.Encrypt); err == nil {
			size = e
		}
		n += uint64(size)
		if l, err := layout(d, size); err == nil && l != nil {
			n += uint64(l.Total())
		}
	}
	return n
}

// spaceNote tells what a patch needs, for the reader of an error.
func (r *run) spaceNote(d *draft) string {
	dir, need := r.path(d.site.Patch.Output), needed([]*draft{d})
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return fmt.Sprintf("the patch needs %d bytes", need)
	}
	return fmt.Sprintf("the patch needs %d bytes, and what was written of it is removed; %q had %d bytes free with it", need, dir, st.Bavail*uint64(st.Bsize))
}
