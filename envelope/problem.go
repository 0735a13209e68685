package envelope

import "strings"

// Severity grades a problem.
type Severity int

// An error keeps a device from taking an envelope, or makes it lose data. A
// warning is about what works on some devices, or not as expected.
const (
	Error Severity = iota + 1
	Warning
)

// String gives "error" or "warning".
func (s Severity) String() string {
	if s == Error {
		return "error"
	}
	return "warning"
}

// A Problem is one finding about envelopes. Summary has fixed wording; Detail
// says in full sentences what, why, and how to mend it. Neither holds content
// of a blob.
type Problem struct {
	Severity Severity
	// Device, Envelope and Blob say where. They are names, as far as there are
	// any; Blob and Envelope are empty for what concerns all of them.
	Device, Envelope, Blob string
	// EnvelopeIndex and BlobIndex are positions, or −1.
	EnvelopeIndex, BlobIndex int
	Summary, Detail          string
}

// Where gives the path to what the problem is about, such as
// "pump-1/settings/limits.yaml".
func (p *Problem) Where() string {
	var parts []string
	for _, s := range []string{p.Device, p.Envelope, p.Blob} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, "/")
}

// HasErrors tells whether one of the problems is an error.
func HasErrors(problems []Problem) bool {
	for _, p := range problems {
		if p.Severity == Error {
			return true
		}
	}
	return false
}
