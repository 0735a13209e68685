package lang

// Options are everything besides the project's files that a configuration
// depends on.
type Options struct {
	// ToolVersion is flotobuild's own semantic version, which required_version
	// is checked against.
	ToolVersion string

	// Environ is the environment as NAME=VALUE; only FLOTOBUILD_VAR_* matter.
	Environ []string

	// Vars are the -var and -var-file options in the order of the command line;
	// a later one wins.
	Vars []VarOption

	// Git tells the state of the work tree. It is called at most once, and only
	// where the configuration refers to git.*. Nil means that there is no work
	// tree.
	Git func() (Git, error)

	steps int // what evaluation may cost; 0 for the usual budget
}

// A VarOption is one -var or one -var-file.
type VarOption struct {
	Assignment string // NAME=VALUE of -var; empty for -var-file

	File  string // the name of a -var-file, as diagnostics show it
	Bytes []byte // its content
}

// Git is the state of the work tree that holds the project.
type Git struct {
	Describe  string // git describe --tags --always --dirty
	Commit    string // full hash of HEAD
	Timestamp string // committer date of HEAD, RFC 3339
	Dirty     bool   // whether there are uncommitted changes
}
