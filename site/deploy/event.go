package deploy

import (
	"errors"
	"strings"
)

// A Kind says what an event is about.
type Kind string

// The kinds of events.
const (
	Loading   Kind = "load"   // an image is sent; Done and Total are bytes
	Loaded    Kind = "loaded" // it is there
	Removing  Kind = "remove" // containers that the patch does not have
	Bringing  Kind = "up"     // Containers are made or started
	Up        Kind = "well"   // a container has come up
	Failed    Kind = "failed" // a container has not
	Returning Kind = "back"   // the patches before are brought back
	Warning   Kind = "warning"
)

// An Event is a step of a redeploy.
type Event struct {
	Kind Kind   `json:"kind"`
	Host string `json:"host,omitempty"`
	// Name is an image or a container, or several; of Returning a patch's id.
	Name string `json:"name,omitempty"`
	Text string `json:"text,omitempty"` // for people
	// Done and Total are bytes of layers.
	Done  int64 `json:"done,omitempty"`
	Total int64 `json:"total,omitempty"`
}

func (o *Options) tell(e Event) {
	if o.Event != nil {
		e.Text = o.hide(e.Text)
		o.Event(e)
	}
}

// hide replaces secrets.
func (o *Options) hide(text string) string {
	for _, s := range o.Secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s, "(secret)")
		}
	}
	return text
}

// hideIn gives an error without secrets. One that had some is no longer what it
// was.
func (o *Options) hideIn(err error) error {
	if err == nil {
		return nil
	}
	if text := o.hide(err.Error()); text != err.Error() {
		return errors.New(text)
	}
	return err
}
