package metadata

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/google/uuid"
)

// Apps maps source addresses to the UUIDs of applications.
type Apps map[netip.Prefix]string

// Add takes an address or a prefix, such as 10.1.0.2 or 10.1.0.0/24. An
// application may have many addresses, an address one application.
func (a Apps) Add(address, app string) error {
	prefix, err := parsePrefix(address)
	if err != nil {
		return fmt.Errorf("cannot map %q to an application: it is neither an address nor a prefix such as 10.1.0.0/24", address)
	}
	id, err := uuid.Parse(app)
	if err != nil {
		return fmt.Errorf("cannot map %q to application %q: it is no UUID", address, app)
	}
	if old, ok := a[prefix]; ok && old != id.String() {
		return fmt.Errorf("cannot map %q to application %q: it is mapped to %q already", address, app, old)
	}
	a[prefix] = id.String()
	return nil
}

func parsePrefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	return prefix.Masked(), err
}

// Read adds lines of an address and a UUID, with white space between them. Text
// behind # is a comment.
func (a Apps) Read(r io.Reader) error {
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if len(words) != 2 {
			return fmt.Errorf("line %d: it takes an address and the UUID of an application", n)
		}
		if err := a.Add(words[0], words[1]); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return lines.Err()
}

// find gives the application at an address by the narrowest prefix.
func (a Apps) find(addr netip.Addr) (string, bool) {
	if !addr.IsValid() {
		return "", false
	}
	for bits := addr.BitLen(); bits >= 0; bits-- {
		if app, ok := a[netip.PrefixFrom(addr, bits).Masked()]; ok {
			return app, true
		}
	}
	return "", false
}
