package legacytest

import (
	"archive/zip"
	"hash/crc32"
	"io"
)

// create writes an entry whose sizes stand in front of its data.
func create(w *zip.Writer, h *zip.FileHeader, content string) (int, error) {
	h.Method = zip.Store
	h.CRC32 = crc32.ChecksumIEEE([]byte(content))
	h.CompressedSize64, h.UncompressedSize64 = uint64(len(content)), uint64(len(content))
	f, err := w.CreateRaw(h)
	if err != nil {
		return 0, err
	}
	return io.WriteString(f, content)
}
