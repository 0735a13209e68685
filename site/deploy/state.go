package deploy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/site"
)

// stateVersion is the version of state.json.
const stateVersion = 1

// A State says what has been deployed.
type State struct {
	FormatVersion int `json:"formatVersion"`
	// Patch is what has been brought up on all of its hosts last, at once or one
	// after another; empty where none has.
	Patch string `json:"patch,omitempty"`
	// Values are those of the site that it was brought up with, as site.Ref has
	// them.
	Values string               `json:"values,omitempty"`
	Hosts  map[string]HostState `json:"hosts"`
	// Unsettled are where redeploys may have made containers that Hosts does not
	// tell of: they were ended early, or the engine has not answered since.
	Unsettled []Place `json:"unsettled,omitempty"`
	// Tags are the names that images were given, by engine.
	Tags map[string][]string `json:"tags,omitempty"`
	// Pending is the redeploy that is under way, or was when it was killed.
	Pending *Pending `json:"pending,omitempty"`
}

// hasAll says that all hosts of a patch have it.
func (s *State) hasAll(r *Release) bool {
	return !slices.ContainsFunc(r.Manifest.Hosts, func(h lang.ManifestHost) bool { return s.Hosts[h.Name].ref() != r.ref() })
}

// A HostState says what runs on a host.
type HostState struct {
	Patch        string    `json:"patch"`
	Values       string    `json:"values,omitempty"` // of the site, as site.Ref has them
	Before       string    `json:"before,omitempty"` // the patch that ran there before
	BeforeValues string    `json:"beforeValues,omitempty"`
	Since        time.Time `json:"since"`
	// Docker is the endpoint as the manifest has it, and Engine the engine that
	// was found there.
	Docker string `json:"docker,omitempty"`
	Engine string `json:"engine"`
}

func (h HostState) ref() site.Ref    { return site.Ref{Patch: h.Patch, Values: h.Values} }
func (h HostState) before() site.Ref { return site.Ref{Patch: h.Before, Values: h.BeforeValues} }

// A Place is an engine on which a host is, or was.
type Place struct {
	Host   string `json:"host"`
	Docker string `json:"docker,omitempty"` // as in HostState
	Engine string `json:"engine"`
}

// unsettle notes that a place may have containers.
func (s *State) unsettle(p Place) {
	if !slices.Contains(s.Unsettled, p) {
		s.Unsettled = append(s.Unsettled, p)
	}
}

// settle notes that Hosts tells what a place has.
func (s *State) settle(host, engine string) {
	s.Unsettled = slices.DeleteFunc(s.Unsettled, func(p Place) bool { return p.Host == host && p.Engine == engine })
}

// A Pending redeploy has begun to change containers.
type Pending struct {
	Patch  string    `json:"patch"`
	Values string    `json:"values,omitempty"`
	Hosts  []string  `json:"hosts"`
	Since  time.Time `json:"since"`
	By     string    `json:"by,omitempty"`
	// Back says that the patch has failed, and the ones before are brought back.
	Back bool `json:"back,omitempty"`
}

func (p *Pending) ref() site.Ref { return site.Ref{Patch: p.Patch, Values: p.Values} }

// maxState bounds state.json, in bytes.
const maxState = 16 << 20

// ReadState gives what has been deployed at the site whose store is in dir.
func ReadState(dir string) (*State, error) {
	s, err := readState(filepath.Join(dir, folder, stateFile))
	if err != nil {
		return nil, fmt.Errorf("cannot read what is deployed: %w", err)
	}
	return s, nil
}

func readState(name string) (*State, error) {
	s := &State{FormatVersion: stateVersion, Hosts: make(map[string]HostState)}
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	if info.Size() > maxState {
		return nil, fmt.Errorf("%q has more than %d bytes", name, maxState)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, s); err != nil {
		return nil, fmt.Errorf("%q: %w", name, err)
	}
	if s.FormatVersion != stateVersion {
		return nil, fmt.Errorf("%q has version %d, and this flotobuild knows %d: take a newer flotobuild", name, s.FormatVersion, stateVersion)
	}
	if s.Hosts == nil {
		s.Hosts = make(map[string]HostState)
	}
	return s, nil
}

// Patches gives the ids of the patches that run on some host, or did before,
// sorted: what one may go back to.
func (s *State) Patches() []string {
	var out []string
	if s.Patch != "" {
		out = append(out, s.Patch)
	}
	for _, h := range s.Hosts {
		out = append(out, h.Patch)
		if h.Before != "" {
			out = append(out, h.Before)
		}
	}
	if s.Pending != nil {
		out = append(out, s.Pending.Patch)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// save replaces the file as a whole.
func (s *State) save(name string) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err == nil {
		err = atomicfile.WriteFile(name, append(b, '\n'), 0o666)
	}
	if err != nil {
		return fmt.Errorf("cannot note what is deployed: %w", err)
	}
	return nil
}
