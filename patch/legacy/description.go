package legacy

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/flotobuild/flotobuild/patch"
)

// A Description is patch-description.json as floto wrote it.
type Description struct {
	CreationDate       Date              `json:"creationDate"`
	ID                 string            `json:"id"`
	Revision           string            `json:"revision"`
	Name               string            `json:"name"`
	Comment            string            `json:"comment"`
	SiteName           string            `json:"siteName"`
	RootDefinitionFile string            `json:"rootDefinitionFile"`
	ParentID           string            `json:"parentId"`
	ParentRevision     string            `json:"parentRevision"`
	ParentName         string            `json:"parentName"`
	RequiredImageIDs   []string          `json:"requiredImageIds"`  // of layers, each with what is below it
	ContainedImageIDs  []string          `json:"containedImageIds"` // required less what the parent requires
	ImageMap           map[string]string `json:"imageMap"`          // name to the id of the topmost layer
	Author             string            `json:"author"`
	Producer           string            `json:"producer"`
}

// A Date is a creation date: text of RFC 3339, or milliseconds since 1970.
type Date struct{ patch.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (d *Date) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	var ms int64
	if err := json.Unmarshal(b, &ms); err == nil {
		d.Time = patch.NewTime(time.UnixMilli(ms))
		return nil
	}
	return d.Time.UnmarshalJSON(b)
}

// errOther says that a file is no patch of floto's own.
var errOther = errors.New("this is no patch file of floto")

// decode parses and checks a description.
func decode(b []byte) (*Description, error) {
	if err := patch.CheckKeys(b); err != nil {
		return nil, fmt.Errorf("cannot decode description: %w", errors.Join(errOther, err))
	}
	var additions struct {
		Flotobuild json.RawMessage `json:"flotobuild"`
	}
	if err := json.Unmarshal(b, &additions); err != nil || additions.Flotobuild != nil {
		return nil, errors.Join(errOther, err)
	}
	d := new(Description)
	if err := json.Unmarshal(b, d); err != nil {
		return nil, fmt.Errorf("cannot decode description: %w", err)
	}
	if err := d.check(); err != nil {
		return nil, fmt.Errorf("description is wrong: %w", err)
	}
	return d, nil
}

func (d *Description) check() error {
	for key, text := range map[string]string{"siteName": d.SiteName, "name": d.Name, "revision": d.Revision, "parentId": d.ParentID} {
		if strings.ContainsFunc(text, unicode.IsControl) {
			return fmt.Errorf("%s %q holds a control character", key, text)
		}
	}
	switch {
	case d.SiteName == "":
		return errors.New("siteName is empty")
	case d.CreationDate.IsZero():
		return errors.New("creationDate is missing")
	case d.CreationDate.Year() < 1970 || d.CreationDate.Year() > 9999:
		return fmt.Errorf("creationDate is in the year %d", d.CreationDate.Year())
	case d.ParentID != "" && d.ParentID == d.ID:
		return errors.New("the patch is its own parent")
	}
	if _, err := patch.FileName(d.ID); err != nil {
		return err
	}
	return d.checkIDs()
}

// checkIDs refuses ids of layers that are none: they are names of folders.
func (d *Description) checkIDs() error {
	for key, ids := range map[string][]string{"requiredImageIds": d.RequiredImageIDs, "containedImageIds": d.ContainedImageIDs} {
		seen := make(map[string]bool, len(ids))
		for _, id := range ids {
			if err := checkID(id); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			if seen[id] {
				return fmt.Errorf("%s has %q twice", key, id)
			}
			seen[id] = true
		}
	}
	for name, id := range d.ImageMap {
		if err := checkID(id); err != nil {
			return fmt.Errorf("imageMap: image %q: %w", name, err)
		}
		if name == "" || strings.ContainsFunc(name, unicode.IsControl) {
			return fmt.Errorf("imageMap: image name %q is empty or holds a control character", name)
		}
	}
	return nil
}

var layerID = regexp.MustCompile(`^[0-9a-f]{64}$`)

func checkID(id string) error {
	if !layerID.MatchString(id) {
		return fmt.Errorf("image id %q is not 64 hex digits, as Docker's ids were before version 1.10", id)
	}
	return nil
}

// Naming tells which of the two forms the patch's id has.
func (d *Description) Naming() string {
	switch {
	case strings.HasSuffix(d.ID, "_"+d.Name+"_"+d.SiteName):
		return "date_name_site"
	case strings.HasSuffix(d.ID, "."+d.SiteName):
		return "date-revision.site"
	}
	return "other"
}

var semantic = regexp.MustCompile(`\d+\.\d+\.\d+`)

// Version is the first version of three numbers in the revision, which had one
// as the tag of git; 0.0.0 where there is none.
func (d *Description) Version() string {
	if v := semantic.FindString(d.Revision); v != "" {
		return v
	}
	return "0.0.0"
}
