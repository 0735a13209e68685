package lang

// The blocks of configuration files that say what sites get.
var (
	imageSetSpec = &blockSpec{
		doc:    "A group of images that root definitions choose from.",
		labels: []string{"name"},
		blocks: map[string]*blockSpec{"image": imageSpec},
	}
	imageSpec = &blockSpec{
		doc:    "An image, made in one of three ways: exactly one of `context`, `rootfs` and `source` is set.",
		labels: []string{"name"},
		attrs: []attrSpec{
			forEachAttr,
			{name: "name", typ: textType, preset: "the label, or the key under for_each", doc: "Name at the sites. " + nameDoc},
			{name: "context", typ: textType, need: notNull, doc: "Folder of a Dockerfile build."},
			{name: "dockerfile", typ: textType, preset: `"Dockerfile"`, doc: "Path of the Dockerfile within the context."},
			{name: "target", typ: textType, preset: "the last", doc: "Stage to build."},
			{name: "args", typ: textMapType, doc: "Build arguments; numbers and booleans become strings, null ones are left out."},
			{name: "contexts", typ: contextsType, doc: "Additional build contexts: an image of the project (`image_set.SET.image.NAME`, which is built before), a folder, or `docker-image://REFERENCE`."},
			{name: "secrets", typ: secretsType, doc: "Secrets for `RUN --mount=type=secret`: `{ env = \"NAME\" }` or `{ file = \"PATH\" }`. They are read at build time and never recorded; an image is made anew where a secret is added or removed, not where its value changes."},
			{name: "rootfs", typ: textType, need: notNull, doc: "Tar file, compressed or not, that becomes the image's only layer."},
			{name: "source", typ: textType, need: notNull, doc: "Image that others made: a registry reference, or `oci-layout://PATH[:TAG][@DIGEST]`."},
			{name: "version", typ: textType, doc: "Constraint on the tags of `source`, which then has none itself: the newest tag that satisfies it is taken, and the lock file keeps it."},
			{name: "platforms", typ: textsType, preset: "Linux on the architecture that flotobuild runs on", doc: "Each `OS/ARCHITECTURE[/VARIANT]`."},
			{name: "labels", typ: textMapType, doc: "Labels for the image's config; not with `source`."},
			outsideAttr,
		},
		blocks:  map[string]*blockSpec{"precondition": preconditionSpec},
		dynamic: true,
	}
	preconditionSpec   = conditionSpec("The configuration is refused, with the message, where the condition is false.")
	rootDefinitionSpec = &blockSpec{
		doc:    "Names the file that says which containers run on which hosts of a site, and the images that they may use.",
		labels: []string{"name"},
		attrs: []attrSpec{
			{name: "file", typ: textType, need: required, doc: "The root definition file: `*.root.hcl`, or a Compose file `*.yaml` or `*.yml`. It stands in the project, as it travels in the patch."},
			{name: "image_sets", typ: setsType, need: required, doc: "Image sets that containers choose from. No image name may stand twice in them."},
		},
		blocks:  map[string]*blockSpec{"conf": confSpec},
		dynamic: true,
	}
	confSpec = &blockSpec{
		doc:  "Chooses which files of the project travel in the patch. Patterns are relative to the project folder: `*` for any characters, `**` for any folders, `{a,b}` for one of several.",
		once: true,
		attrs: []attrSpec{
			{name: "include", typ: textsType, preset: `["**"]`, doc: "Patterns of the files that travel."},
			{name: "exclude", typ: textsType, doc: "Patterns of those among them that do not."},
		},
	}
	siteSpec = &blockSpec{
		doc:    "A site that patches go to.",
		labels: []string{"name"},
		attrs: []attrSpec{
			{name: "root_definition", typ: rootType, need: required, doc: "What runs at the site: `root_definition.NAME`."},
			forEachAttr,
			{name: "name", typ: textType, preset: "the label, or the key under for_each", doc: "Name of the site. " + nameDoc},
			{name: "vars", typ: anyMapType, doc: "Values that the root definition file sees as `site.vars`."},
			{name: "envelopes", typ: envelopesType, doc: "Envelopes that travel in the patch: `envelope.NAME`, which under `for_each` stands for all instances."},
		},
		blocks:  map[string]*blockSpec{"patch": patchSpec, "precondition": preconditionSpec},
		dynamic: true,
	}
	patchSpec = &blockSpec{
		doc:    "The next patch of the site.",
		once:   true,
		needed: true,
		attrs: []attrSpec{
			{name: "version", typ: textType, need: required, doc: "Semantic version of the patch."},
			{name: "name", typ: textType, preset: "the root definition's name", doc: "Name of the patch."},
			{name: "comment", typ: textType, doc: "Text for people."},
			{name: "parent", typ: textType, preset: `"latest"`, doc: "What the patch goes on top of: `latest`, `none`, a patch's id, a constraint on versions, a file or folder, or `oci://REFERENCE`."},
			{name: "output", typ: textType, preset: `"` + defaultOutput + `"`, doc: "Folder for the patch."},
			{name: "allow_outside", typ: flagType, preset: "false", doc: "`true`: `output`, parents and keys may lie outside of the project."},
			{name: "also_from", typ: textsType, doc: "Further parents, written as `parent`, that the same patch must apply to."},
			{name: "delta", typ: textType, preset: `"auto"`, choices: []string{DeltaAuto, DeltaOff}, doc: "`\"auto\"`: a layer that the parent lacks travels as what changed against the parent's layers, where that is smaller. Such a patch needs a `flotobuild` at the site that knows it. `\"off\"`: layers travel whole."},
			{name: "volume_size", typ: textType, doc: "Size of a medium, such as `\"4.7GB\"` or `\"650MiB\"`: a larger patch is split into volumes of at most that size. Unset, the patch is one file."},
			{name: "sign", typ: anyType, doc: "Keys that sign the patch: `{ key = \"keys/release.pem\" }`, or a list of those. The files hold private keys and never travel."},
			{name: "sbom", typ: textType, choices: []string{"spdx"}, doc: "`\"spdx\"`: a list for each image of the packages of Debian, Alpine and Red Hat in it, in the form of SPDX 2.3."},
			{name: "provenance", typ: flagType, preset: "false", doc: "`true`: a statement (in-toto, SLSA) for each image of what it was built from."},
			{name: "encrypt", typ: encryptType, doc: "Whom the patch file is encrypted for: `{ recipients = [\"age1…\"] }`, public keys of age or SSH; `{ recipients_files = [\"PATH\"] }`, files of the project with one a line; or `{ passphrase = { env = \"NAME\" } }`, alone. A change of it makes no new patch."},
			{name: "parity", typ: numberType, preset: "0", doc: "Number of parity volumes: that many volumes may be lost, and the others restore the patch. Needs `volume_size`."},
		},
		blocks:  map[string]*blockSpec{"policy": policySpec},
		dynamic: true,
	}
	policySpec = &blockSpec{
		doc:  "What a patch must keep to.",
		once: true,
		attrs: []attrSpec{
			{name: "clean_tree", typ: flagType, preset: "false", doc: "`true`: uncommitted changes are an error instead of a warning."},
			{name: "max_size", typ: textType, doc: "Largest patch file, such as `\"4.7GB\"` or `\"650MiB\"`: GB is 10⁹ bytes, GiB 2³⁰. The build decides, and apply publishes nothing where a patch is larger."},
			{name: "allow_removed_images", typ: flagType, preset: "true", doc: "`false`: every image that a parent has must still be required."},
			{name: "allowed_registries", typ: textsType, doc: "Registries, with the beginning of a repository's path where needed, that images of others may come from: `registry.plant.example:5000`, `*.example.org/team`. `*` stands for any characters of a part. Docker Hub is `docker.io`; OCI layouts are in no registry."},
		},
		blocks:  map[string]*blockSpec{"required_signatures": signaturesSpec},
		dynamic: true,
	}
	signaturesSpec = &blockSpec{
		doc:  "Images of others, those in OCI layouts too, must be signed with one of the keys, as `cosign sign --key` does it.",
		once: true,
		attrs: []attrSpec{
			{name: "keys", typ: textsType, need: required, doc: "Files with public keys: PEM, ECDSA P-256 or Ed25519."},
		},
	}
)
