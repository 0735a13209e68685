package planner

import (
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/lang"
)

// Devices are one where a name or a certificate says so, however indirectly.
func TestReceivers(t *testing.T) {
	for name, c := range map[string]struct {
		devices []string // ENVELOPE NAME FILE DIGEST, - for none
		want    string   // envelopes of each device
	}{
		"two":                          {[]string{"e x x.pem A", "f y y.pem B"}, "e | f"},
		"one name":                     {[]string{"e x - -", "f x - -"}, "e f"},
		"one certificate":              {[]string{"e x x.pem A", "f y y.pem A"}, "e f"},
		"one file, encrypted once":     {[]string{"e x certs/x.pem A", "f y ./certs/x.pem -"}, "e f"},
		"twice in an envelope":         {[]string{"e x x.pem A", "e y x.pem A"}, "e"},
		"one by a third":               {[]string{"e x x.pem A", "f y y.pem B", "g x y.pem B"}, "e f g"},
		"one by a third, and a fourth": {[]string{"e x x.pem A", "f y y.pem B", "g z z.pem C", "h y x.pem A", "i z y.pem B"}, "e f g h i"},
		"found before it was one":      {[]string{"e x x.pem A", "f y y.pem B", "g y x.pem A", "h x - -", "i y - -"}, "e f g h i"},
	} {
		r := new(resolver)
		for _, text := range c.devices {
			r.receives(strings.Fields(text))
		}
		var got []string
		for _, d := range r.receivers() {
			var names []string
			for _, f := range d.envelopes {
				names = append(names, f.lang.Name)
			}
			slices.Sort(names)
			got = append(got, strings.Join(names, " "))
		}
		slices.Sort(got)
		if text := strings.Join(got, " | "); text != c.want {
			t.Errorf("%s: %s, want %s", name, text, c.want)
		}
	}
}

func (r *resolver) receives(words []string) {
	n := slices.IndexFunc(r.envelopes, func(f *envelopeFacts) bool { return f.lang.Name == words[0] })
	if n < 0 {
		n = len(r.envelopes)
		r.envelopes = append(r.envelopes, &envelopeFacts{lang: &lang.Envelope{Name: words[0]}, pinned: new(Envelope)})
	}
	f := r.envelopes[n]
	d, pinned := &lang.Device{Name: words[1]}, EnvelopeDevice{Name: words[1]}
	if words[2] != "-" {
		d.Certificate = &lang.Path{Name: words[2]}
	}
	if words[3] != "-" {
		pinned.Digest = digest.FromString(words[3])
	}
	f.lang.Devices, f.pinned.Devices = append(f.lang.Devices, d), append(f.pinned.Devices, pinned)
}
