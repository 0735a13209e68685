package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/internal/regular"
	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/site"
)

// A check reads a patch of the site once more: every blob of its images, and
// every file that it holds besides.
type check struct {
	site  *site.Site
	patch *site.Patch
	task  *task

	done, total int64 // bytes
	blobs       int
	files       int
	bad         int
	badFiles    int // of those
}

// run goes on after a problem, so that the log has all of them. A damaged blob
// is set aside, so that an import brings a good one.
func (c *check) run(ctx context.Context) error {
	blobs := neededBlobs(c.patch.Images())
	files := c.patch.Header.Description.Flotobuild.Contents
	for _, b := range blobs {
		c.total += b.Size
	}
	for _, b := range blobs {
		c.blobs++
		c.note(fmt.Sprintf("blob %s", b.Digest), c.site.Blobs().Check(ctx, b.Digest, b.Size), b.Size)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	root, err := os.OpenRoot(c.patch.Dir())
	if err != nil {
		return fmt.Errorf("cannot check patch %q: %w", c.patch.ID, err)
	}
	defer root.Close()
	for _, f := range files {
		if strings.HasPrefix(f.Path, "images/") {
			continue
		}
		c.files++
		err := checkFile(ctx, root, f)
		c.note(f.Path, err, 0)
		if err != nil {
			c.badFiles++
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	if _, err := c.site.Patch(c.patch.ID); err != nil {
		return fmt.Errorf("the patch was removed meanwhile: %w", err)
	}
	if c.bad > 0 {
		return fmt.Errorf("%d of %d blobs and files are damaged or missing: %s", c.bad, c.blobs+c.files, c.remedy())
	}
	c.task.logf("all is as it should be: %s", c.summary())
	return nil
}

// remedy says how the patch becomes whole. An import brings blobs, and takes the
// files of a patch that is there for good.
func (c *check) remedy() string {
	if c.badFiles > 0 {
		return fmt.Sprintf("remove the folder patches/%s from the store, and import the patch again", c.patch.ID)
	}
	return "import the patch again"
}

func (c *check) summary() string {
	return fmt.Sprintf("%s with %s, %s", count(c.blobs, "blob"), byteSize(c.done), count(c.files, "file"))
}

// note counts what was read, and logs what is wrong.
func (c *check) note(what string, err error, size int64) {
	c.done += size
	c.task.Progress(Progress{"reading blobs and comparing digests", c.done, c.total})
	if err != nil {
		c.bad++
		c.task.logf("%s: %v", what, err)
	}
}

// neededBlobs are the blobs that containers need, each once.
func neededBlobs(images []patch.Image) []ocispec.Descriptor {
	var out []ocispec.Descriptor
	seen := make(map[digest.Digest]bool)
	add := func(d ocispec.Descriptor) {
		if !seen[d.Digest] {
			seen[d.Digest] = true
			out = append(out, d)
		}
	}
	for _, i := range images {
		add(i.Descriptor)
		for _, m := range i.Manifests {
			add(m.Descriptor)
			add(m.Config)
			for _, l := range m.Layers {
				add(l.Descriptor())
			}
		}
	}
	return out
}

// errDiffers means that a file is not what the description lists.
var errDiffers = errors.New("it is not what the patch's description lists")

// checkFile compares a file of the patch's folder with the description. Of a
// symbolic link the target counts.
func checkFile(ctx context.Context, root *os.Root, c patch.Content) error {
	if c.Mode == patch.ModeSymlink {
		target, err := root.Readlink(c.Path)
		if sum := sha256.Sum256([]byte(target)); err == nil && hex.EncodeToString(sum[:]) != c.SHA256 {
			err = errDiffers
		}
		return err
	}
	f, info, err := regular.OpenIn(root, c.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	if info.Size() != c.Size {
		return errDiffers
	}
	_, err = verify.Copy(ctx, io.Discard, verify.NewReader(f, fmt.Sprintf("%q", c.Path), c.Size, digest.NewDigestFromEncoded(digest.SHA256, c.SHA256)))
	return err
}
