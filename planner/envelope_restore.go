package planner

// Restore lets devices whose output the project does not have keep what a patch
// of a parent carries of it, as in a fresh checkout. find reads the record of an
// output in the parents of a site, and names the patch by its id; it gives
// nil where there is none.
func (d *Desired) Restore(find func(site, envelope, device string) (last *Sealed, from string)) {
	byAddress := make(map[string]*Envelope)
	for _, e := range d.Envelopes {
		byAddress[e.Address] = e
	}
	for _, s := range d.Sites {
		for _, address := range s.Envelopes {
			e := byAddress[address]
			if e == nil {
				continue
			}
			for n := range e.Devices {
				v := &e.Devices[n]
				if v.last != nil {
					continue
				}
				if last, from := find(s.Name, e.Name, v.Name); last != nil {
					v.last, v.intact, v.from = last, true, from
				}
			}
		}
	}
}
