package planner

import (
	"context"
	"fmt"
	"path"

	"github.com/hashicorp/hcl/v2"
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/lang"
)

// VolumesDir is the folder of the volumes that hold images, in a project: a file
// for each, named by the volume's UUID, and beside it the record with RecordSuffix.
// It never travels in conf/.
const VolumesDir = "dist/volumes"

// RecordSuffix ends the name of a VolumeRecord.
const RecordSuffix = ".json"

// VolumeFile is the file of a volume, relative to the project.
func VolumeFile(id string) string { return path.Join(VolumesDir, id) }

// A Volume of a device holds an image of the project, as an OCI archive.
type Volume struct {
	ID    string // UUID
	Image string // address

	last   *VolumeRecord // what was written last; nil where there is none
	intact bool          // last and its file are as they were written
}

// A VolumeRecord says what the file of a volume was made from.
type VolumeRecord struct {
	FormatVersion int           `json:"formatVersion"`
	Image         string        `json:"image"`       // address
	Fingerprint   digest.Digest `json:"fingerprint"` // of the image
	Size          int64         `json:"size"`        // bytes of the file
	Digest        digest.Digest `json:"digest"`      // of the file
}

// DecodeVolumeRecord reads a record of this version.
func DecodeVolumeRecord(text []byte) (*VolumeRecord, error) {
	r := new(VolumeRecord)
	if err := decodeRecord(text, r); err != nil {
		return nil, fmt.Errorf("cannot read the record of a volume: %w", err)
	}
	if r.FormatVersion != SealedVersion || r.Size < 0 || r.Digest.Validate() != nil {
		return nil, fmt.Errorf("cannot read the record of a volume: it is damaged, or of another version")
	}
	return r, nil
}

// A VolumePlan says what apply does for a volume that holds an image.
type VolumePlan struct {
	ID    string `json:"imageId"`
	Image string `json:"image"` // address
	// Change is create, update, or none where the file stays.
	Change  string   `json:"change"`
	Reasons []Reason `json:"reasons,omitempty"` // of an update, sorted
}

// InputImage is the input of a reason why a volume is written anew.
const InputImage = "image"

// gatherVolumes lists the volumes that hold images. Two blobs may share one,
// with the same image.
func (r *resolver) gatherVolumes(ctx context.Context, facts EnvelopeFacts) hcl.Diagnostics {
	var diags hcl.Diagnostics
	first := make(map[string]*lang.Blob)
	for _, f := range r.envelopes {
		for _, b := range f.lang.Blobs {
			if b.Image == nil || b.Volume == nil {
				continue
			}
			if have := first[b.Volume.ID]; have != nil {
				if have.Image != b.Image {
					diags = append(diags, problem(b.Range, "Volume with two images", fmt.Sprintf(
						"The volume %s is to hold %s, and %s at another place. Give each image a volume of its own.", b.Volume.ID, b.Image.Address(), have.Image.Address())))
				}
				continue
			}
			first[b.Volume.ID] = b
			v := &Volume{ID: b.Volume.ID, Image: b.Image.Address()}
			var err error
			if v.last, v.intact, err = facts.Volume(ctx, v.ID); err != nil {
				diags = append(diags, problem(b.Range, "Cannot read volume", sentence(err)))
			}
			r.volumes = append(r.volumes, v)
		}
	}
	return diags
}

// pinImages completes the blobs whose volumes hold images, once these have
// fingerprints.
func (r *resolver) pinImages(done map[string]*Image) error {
	for _, f := range r.envelopes {
		for n := range f.pinned.Blobs {
			b := &f.pinned.Blobs[n]
			if b.Image == "" {
				continue
			}
			var err error
			if b.Digest, err = BlobDigest(r.opts.DigestKey, f.definition.Blobs[n], done[b.Image].Fingerprint.Digest); err != nil {
				return err
			}
		}
	}
	return nil
}

// volume decides whether a volume keeps its file. An image that it lacks has to
// be made.
func (d *differ) volume(v *Volume) *VolumePlan {
	p := &VolumePlan{ID: v.ID, Image: v.Image, Change: ChangeUpdate}
	now := d.images[v.Image].Fingerprint.Digest
	switch {
	case v.last == nil:
		p.Change = ChangeCreate
	case !v.intact:
		p.Reasons = []Reason{{Input: InputOutput}}
	case v.last.Fingerprint != now:
		p.Reasons = []Reason{{InputImage, v.last.Fingerprint.String(), now.String()}}
	default:
		p.Change = ChangeNone
		return p
	}
	d.lacking[v.Image] = append(d.lacking[v.Image], Reason{Input: InputVolume, New: v.ID})
	return p
}
