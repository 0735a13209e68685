package lang

const (
	envelopesType = "list(envelope)"
	encryptDoc    = "What is encrypted for each device: `content`, `metadata`. Of a blob in a volume the content here is the reference; what the volume holds is not encrypted. Metadata is encrypted together with the content where both are named."
	hashDoc       = "What the certificate is called where the computed hash is not it, as hexadecimal digits: 16 bytes, or 32 where both sides have 32."
)

// The blocks of envelopes.
var (
	envelopeSpec = &blockSpec{
		doc:    "A patch envelope of EVE-OS: data for running applications of devices, sealed for each of its devices.",
		labels: []string{"name"},
		attrs: []attrSpec{
			forEachAttr,
			{name: "name", typ: textType, preset: "the label, or the key under for_each", doc: "Name of the envelope and of its folder below `dist/envelopes`. " + nameDoc},
			{name: "uuid", typ: textType, need: notNull, preset: "made from the names of project and envelope", doc: "UUID by which devices know the envelope: one with the same replaces it."},
			{name: "version", typ: textType, doc: "Version of the maker's choice, which applications see."},
			{name: "action", typ: textType, preset: `"activate"`, choices: envelopeActions, doc: "`activate`: applications see the envelope. `store`: the device only keeps it."},
			{name: "allowed_apps", typ: textsType, doc: "UUIDs of the application instances that may see it."},
		},
		blocks: map[string]*blockSpec{
			"device": deviceSpec, "controller": controllerSpec, "blob": envelopeBlobSpec, "precondition": preconditionSpec,
		},
		dynamic: true,
	}
	deviceSpec = &blockSpec{
		doc:    "A device that the envelope is for: one sealed output for each.",
		labels: []string{"name"},
		needed: true,
		attrs: []attrSpec{
			forEachAttr,
			{name: "name", typ: textType, preset: "the label, or the key under for_each", doc: "Name of the device and of its folder. " + nameDoc},
			{name: "certificate", typ: textType, need: notNull, doc: "The device's certificate, as its file stands on the device: PEM, on the curve P-256. Needed where something is encrypted."},
			{name: "hash", typ: textType, need: notNull, doc: hashDoc},
			outsideAttr,
		},
	}
	controllerSpec = &blockSpec{
		doc:  "The controller that seals. Needed where something is encrypted.",
		once: true,
		attrs: []attrSpec{
			{name: "key", typ: textType, need: required, doc: "The controller's private key: PEM, on the curve P-256. It never travels in a patch."},
			{name: "certificate", typ: textType, need: notNull, doc: "The controller's certificate, whose key this is. It may be missing where `hash` is set."},
			{name: "hash", typ: textType, need: notNull, doc: hashDoc},
			outsideAttr,
		},
	}
	envelopeBlobSpec = &blockSpec{
		doc:    "A file for applications. Exactly one of `content`, `source` and `image` is set, or none with a volume that others fill.",
		labels: []string{"name"},
		attrs: []attrSpec{
			forEachAttr,
			{name: "name", typ: textType, preset: "the label, or the key under for_each", doc: "Name that applications ask for. It may stand once on a device, across all of its envelopes."},
			{name: "content", typ: textType, need: notNull, doc: "The bytes. The value may be sensitive; it is never shown."},
			{name: "source", typ: textType, need: notNull, doc: "File with the bytes. It does not travel in `conf/`."},
			{name: "image", typ: "image", doc: "Image of the project, which the volume is to hold: `apply` writes it to `dist/volumes` as an OCI archive. It needs a block `volume`."},
			{name: "metadata", typ: textType, doc: "Text about the file, for applications."},
			{name: "encrypt", typ: textsType, doc: encryptDoc},
			outsideAttr,
		},
		blocks: map[string]*blockSpec{"volume": volumeSpec},
	}
	volumeSpec = &blockSpec{
		doc:  "The bytes lie in a volume of the device, which the controller fills; the envelope carries the reference only.",
		once: true,
		attrs: []attrSpec{
			{name: "image_id", typ: textType, need: required, doc: "UUID of the volume."},
			{name: "image_name", typ: textType, doc: "Name of the volume's image in the datastore."},
			{name: "file_name", typ: textType, need: notNull, preset: "the blob's name", doc: "Name that applications ask for, instead of the blob's."},
		},
	}
)
