package planner

import "iter"

// Restore lets devices whose output the project does not have keep what a patch
// of a parent carries of it, as in a fresh checkout. find reads the records of an
// output in the parents of a site, and names the patches by their ids. Parents may
// be of different releases: the first record counts that leaves nothing to be
// sealed, or else the first, for the reasons.
func (d *Desired) Restore(find func(site, envelope, device string) iter.Seq2[*Sealed, string]) {
	byAddress := make(map[string]*Envelope)
	missing := make(map[*EnvelopeDevice]bool)
	for _, e := range d.Envelopes {
		byAddress[e.Address] = e
		for n := range e.Devices {
			missing[&e.Devices[n]] = e.Devices[n].last == nil
		}
	}
	for _, s := range d.Sites {
		for _, address := range s.Envelopes {
			e := byAddress[address]
			if e == nil {
				continue
			}
			for n := range e.Devices {
				if v := &e.Devices[n]; missing[v] {
					missing[v] = !e.restore(v, find(s.Name, e.Name, v.Name))
				}
			}
		}
	}
}

// restore tells whether one of the records leaves nothing to be sealed.
func (e *Envelope) restore(v *EnvelopeDevice, records iter.Seq2[*Sealed, string]) bool {
	for last, from := range records {
		found := *v
		found.last, found.intact, found.from = last, true, from
		same := len(sealedReasons(e, &found)) == 0
		if same || v.last == nil {
			*v = found
		}
		if same {
			return true
		}
	}
	return false
}
