package planner

import (
	"context"
	"errors"
	"fmt"

	"github.com/opencontainers/go-digest"
)

// Facts reads what the configuration names. Names of files and folders are
// those of lang.Path: slash-separated and relative to the project folder.
// Resolve calls the methods concurrently. An error for a file that is not
// there satisfies errors.Is(err, fs.ErrNotExist).
type Facts interface {
	// Platform is the platform of images that name none, e.g. linux/amd64.
	Platform() string
	// Project reads the state of the sources. Changes below the omitted files
	// and folders do not make it dirty. Without git every field is empty.
	Project(ctx context.Context, omit []string) (Project, error)
	// Dockerfile reads a Dockerfile; syntax errors are of type *SourceError.
	Dockerfile(ctx context.Context, q DockerfileQuery) (*Dockerfile, error)
	// Folder returns the digest of each top-level entry of a build context:
	// names, modes, link targets and bytes of all that a build could see.
	Folder(ctx context.Context, q FolderQuery) (map[string]digest.Digest, error)
	// File returns the digest and the size in bytes of a regular file.
	File(ctx context.Context, name string) (digest.Digest, int64, error)
	// Reference returns the digest of the manifest or index that a registry
	// reference or oci-layout://PATH[:TAG][@DIGEST] names. Errors are ErrNoImage
	// and ErrNoAnswer where these fit.
	Reference(ctx context.Context, ref string) (digest.Digest, error)
	// Tags lists the tags of a registry repository or oci-layout://PATH, in any
	// order.
	Tags(ctx context.Context, source string) ([]string, error)
	// Conf lists the files that travel in conf/, sorted by path.
	Conf(ctx context.Context, q ConfQuery) ([]File, error)
}

var (
	// ErrNoImage means that a registry or layout says that it has no such image.
	ErrNoImage = errors.New("no such image")
	// ErrNoAnswer means that a registry could not be asked: it cannot be
	// reached, refuses access, or fails.
	ErrNoAnswer = errors.New("cannot ask registry")
)

// A Sizer is a Facts that knows the size of images that others made.
type Sizer interface {
	// SourceSize gives the bytes of the layers of an image for these platforms,
	// each once, as its manifests say; 0 where they are not at hand.
	SourceSize(ref string, d digest.Digest, platforms []string) int64
}

// A DockerfileQuery asks which images of others a build needs.
type DockerfileQuery struct {
	Dir       string // the build context; the file stands in it
	File      string
	Target    string            // stage; empty means the last one
	Args      map[string]string // build args
	Contexts  []string          // keys of named contexts, see ContextKey
	Platforms []string
}

// A Dockerfile is what planning needs to know of one.
type Dockerfile struct {
	Digest digest.Digest // of its bytes
	// References are the keys (see ContextKey) of the images that the target
	// needs and that no named context replaces; sorted, each once.
	References []string
}

// A FolderQuery names a build context and the files with its ignore patterns:
// the first that exists counts.
type FolderQuery struct {
	Dir         string
	IgnoreFiles []string
}

// A ConfQuery selects files of the project folder by doublestar patterns. Omit
// lists files and folders that never travel, nor does what they lead to as symbolic
// links. Some of them may be outside of the project, or absolute.
type ConfQuery struct {
	Include, Exclude []string
	Omit             []string
}

// A SourceError is an error in a file that the configuration names, at a line
// where that is known.
type SourceError struct {
	File string
	Line int // 1-based; 0 where it is not known
	Err  error
}

// Error returns the position and the message.
func (e *SourceError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
}

// Unwrap returns the message without the position.
func (e *SourceError) Unwrap() error { return e.Err }
