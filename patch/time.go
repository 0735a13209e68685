package patch

import (
	"encoding/json"
	"fmt"
	"time"
)

// timeLayout is floto's form of a time: ISO 8601 in UTC, milliseconds, "Z".
const timeLayout = "2006-01-02T15:04:05.000Z"

// Time is a time.Time with floto's JSON form: UTC, milliseconds, "Z".
type Time struct{ time.Time }

// NewTime cuts t to what the JSON form can hold.
func NewTime(t time.Time) Time { return Time{t.UTC().Truncate(time.Millisecond)} }

// String gives the JSON form without quotes.
func (t Time) String() string { return t.UTC().Format(timeLayout) }

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	if y := t.UTC().Year(); y < 0 || y > 9999 {
		return nil, fmt.Errorf("cannot write a time in the year %d", y)
	}
	return json.Marshal(t.String())
}

// UnmarshalJSON implements json.Unmarshaler. Any time of RFC 3339 is accepted.
func (t *Time) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	p, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return fmt.Errorf("time %q is not like %q", s, timeLayout)
	}
	*t = NewTime(p)
	return nil
}
