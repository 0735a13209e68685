package lang

import (
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// encryptable is what encrypt may name.
var encryptable = []string{"content", "metadata"}

// envelopeBlob evaluates a blob. Which names devices take is for the planner to
// say, which knows all blobs of a device.
func (f *frame) envelopeBlob(b *block) *Blob {
	out := &Blob{Name: f.blobName(b), Range: b.header}
	out.Content, out.Sensitive = f.secretText(b, "content")
	out.Image = f.blobImage(b)
	out.Source, _ = f.path(b, "source", f.allowOutside(b))
	out.Metadata, _ = f.text(b, "metadata")
	f.encrypt(b, out)
	volume := b.only("volume")
	if volume.spec != nil {
		out.Volume = &Volume{ID: f.uuid(volume, "image_id")}
		out.Volume.Image, _ = f.text(volume, "image_name")
		if v, ok := f.text(volume, "file_name"); ok {
			out.Name = v
		}
	}
	f.checkBytes(b, out)
	return out
}

// checkBytes holds that the bytes of a blob come from one place.
func (f *frame) checkBytes(b *block, out *Blob) {
	var places []string
	for _, name := range []string{"content", "source", "image"} {
		if b.attrs[name] != nil {
			places = append(places, name)
		}
	}
	content, image := b.attrs["content"], b.attrs["image"]
	switch {
	case len(places) > 1:
		f.report(failure(b.attrs[places[1]].NameRange, "Conflicting attributes", "The blob %q has %s, but its bytes come from one place. Keep one of them.", out.Name, strings.Join(places, " and ")))
	case content != nil && out.Volume != nil:
		f.report(failure(content.NameRange, "Conflicting attributes", "The bytes of the blob %q lie in a volume, and the envelope carries the reference only. Write a file with source, or take the block volume out.", out.Name))
	case image != nil && out.Volume == nil:
		f.report(failure(image.NameRange, "Image without a volume", "The blob %q holds an image, which is too large to be inline. Add a block volume { image_id = … } with the UUID of the volume that the controller fills.", out.Name))
	case len(places) == 0 && out.Volume == nil:
		f.report(failure(b.header, "Blob without content", "The blob %q needs one of: content (the bytes), source (a file), a block volume.", out.Name))
	}
}

// blobImage evaluates the image that a volume is to hold.
func (f *frame) blobImage(b *block) *Image {
	v, ok := f.value(b, "image", cty.DynamicPseudoType)
	if !ok {
		return nil
	}
	i := f.scope.images[addressOf(v)]
	rng := b.attrs["image"].Expr.Range()
	switch {
	case i == nil && isRepeated(v):
		f.report(failure(rng, "Wrong type", "This is not one image but several, by for_each. Choose one with [\"KEY\"] behind it; the keys are: %s.", keyList(v)))
	case i == nil:
		f.report(failure(rng, "Wrong type", "The attribute \"image\" needs an image of the project: write image_set.SET.image.NAME."))
	}
	return i
}

// blobName is the name that applications ask for: any that devices take.
func (f *frame) blobName(b *block) string {
	if v, ok := f.text(b, "name"); ok {
		return v
	}
	if f.instance.repeated && b.repeats() {
		return f.instance.key
	}
	return b.name()
}

// secretText evaluates the only attribute that may hold a sensitive value, and
// tells whether it does. It is nil where there is none.
func (f *frame) secretText(b *block, name string) (text []byte, secret bool) {
	a := b.attrs[name]
	if a == nil {
		return nil, false
	}
	v, diags := a.Expr.Value(f.ctx)
	f.report(diags...)
	if diags.HasErrors() {
		return nil, false
	}
	secret = isSensitive(v)
	v, _ = v.UnmarkDeep()
	if v.IsNull() {
		f.report(failure(a.Expr.Range(), "Missing value", "The attribute %q must not be null.", name))
		return nil, false
	}
	out, err := convertTo(v, cty.String)
	if err != nil {
		d := failure(a.Expr.Range(), "Wrong type", "The attribute %q needs a string.", name)
		if !secret {
			d = at(d, a.Expr, f.ctx)
		}
		f.report(d)
		return nil, false
	}
	if !out.IsKnown() {
		return nil, false
	}
	return []byte(out.AsString()), secret
}

func (f *frame) encrypt(b *block, out *Blob) {
	list, _ := f.texts(b, "encrypt")
	for i, v := range list {
		if !slices.Contains(encryptable, v) {
			f.report(failure(itemRange(b.attrs["encrypt"].Expr, i), "Invalid encrypt",
				"Nothing of a blob is called %q: write some of %s.%s", v, strings.Join(encryptable, ", "), didYouMean(v, encryptable)))
		}
	}
	out.EncryptContent = slices.Contains(list, "content")
	out.EncryptMetadata = slices.Contains(list, "metadata")
	if out.EncryptMetadata && out.Metadata == "" && b.attrs["metadata"] == nil {
		f.report(failure(b.attrs["encrypt"].Expr.Range(), "Attribute without effect", "The blob %q has no metadata to encrypt. Take it out of encrypt, or set metadata.", out.Name))
	}
}
