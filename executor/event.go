package executor

import (
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/planner"
)

// Types of events.
const (
	EventImageStart    = "image_start"
	EventImageComplete = "image_complete"
	EventImageFailed   = "image_failed"
	EventImageSkipped  = "image_skipped" // not begun, for another image's failure
	EventLayer         = "layer_written" // a layer has gone into a patch that has no name yet
	EventPatch         = "patch_complete"
	EventEnvelope      = "envelope_complete" // sealed for a device, and in its place
	EventVolume        = "volume_complete"   // its file holds an image, and is in its place
	EventRemoved       = "output_removed"    // an output that belonged to nothing
)

// How images were made.
const (
	HowBuilt    = "built"
	HowCached   = "cached"   // built, and no step had to run
	HowImported = "imported" // a root file system
	HowFetched  = "fetched"  // as others made it
	HowParent   = "parent"   // taken over from a parent's patch
)

// An Event tells of a step of Apply as it happens. Which fields are set depends
// on the type.
type Event struct {
	Type  string
	Image string        // address
	How   string        // of EventImageComplete
	ID    string        // of the image, the patch, or the volume
	Took  time.Duration // of an image
	// Steps and Cached are as in ImageResult.
	Steps, Cached int
	Layers        int
	Site          string
	Digest        digest.Digest // of a layer's blob
	Bytes         int64         // of an image's blobs, of a layer as it travels, or of the patch file
	Delta         bool          // the layer travels as a delta
	File          string        // or the folder of an envelope
	Envelope      string        // address
	Device        string
	// Err is why an image failed or was not begun.
	Err error
}

// observer hands events over one at a time.
type observer struct {
	mu   sync.Mutex
	call func(Event)
}

func (o *observer) tell(e Event) {
	if o.call == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.call(e)
}

// observed makes an image and tells of it.
func (r *run) observed(img *planner.ImagePlan, make func() error) error {
	began := time.Now()
	r.observe.tell(Event{Type: EventImageStart, Image: img.Address})
	err := make()
	e := Event{Type: EventImageComplete, Image: img.Address, Took: time.Since(began)}
	if err != nil {
		e.Type, e.Err = EventImageFailed, err
	} else {
		r.describeEvent(&e, img)
	}
	r.observe.tell(e)
	return err
}

func (r *run) describeEvent(e *Event, img *planner.ImagePlan) {
	r.mu.Lock()
	defer r.mu.Unlock()
	desc, m := r.bases[img.Address], r.made[img.Address]
	e.ID = desc.ID.String()
	seen := make(map[digest.Digest]bool)
	for _, p := range desc.Manifests {
		for _, l := range p.Layers {
			if !seen[l.DiffID] {
				seen[l.DiffID] = true
				e.Layers++
				e.Bytes += l.Size
			}
		}
	}
	e.How = HowParent
	if m == nil {
		return
	}
	e.Steps, e.Cached = m.steps, m.cached
	switch {
	case img.Kind == planner.KindRootfs:
		e.How = HowImported
	case img.Kind == planner.KindSource:
		e.How = HowFetched
	case m.steps > 0 && m.steps == m.cached:
		e.How = HowCached
	default:
		e.How = HowBuilt
	}
}
