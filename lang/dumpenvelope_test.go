package lang

import (
	"bytes"
	"fmt"
)

func dumpEnvelope(b *bytes.Buffer, e *Envelope) {
	fmt.Fprintf(b, "%s name=%s uuid=%s version=%q activate=%v apps=%v\n", e.Address(), e.Name, e.UUID, e.Version, e.Activate, e.Apps)
	if c := e.Controller; c != nil {
		fmt.Fprintf(b, "  controller key=%s certificate=%s hash=%x\n", c.Key.Name, name(c.Certificate), c.Hash)
	}
	for _, d := range e.Devices {
		fmt.Fprintf(b, "  device %s certificate=%s hash=%x\n", d.Name, name(d.Certificate), d.Hash)
	}
	for _, x := range e.Blobs {
		fmt.Fprintf(b, "  blob %q content=%q source=%s metadata=%q encrypt=%v,%v", x.Name, x.Content, name(x.Source), x.Metadata, x.EncryptContent, x.EncryptMetadata)
		if x.Volume != nil {
			fmt.Fprintf(b, " volume=%s %q", x.Volume.ID, x.Volume.Image)
		}
		if x.Sensitive {
			fmt.Fprint(b, " sensitive")
		}
		if x.Image != nil {
			fmt.Fprintf(b, " image=%s", x.Image.Address())
		}
		fmt.Fprintln(b)
	}
}

func name(p *Path) string {
	if p == nil {
		return "-"
	}
	return p.Name
}
