package lang

// The blocks of root definition files in the native form.
var (
	rootFileSpec = &blockSpec{
		doc: "A root definition file of the native form: which containers run on which hosts of a site, and which documents go with them.",
		blocks: map[string]*blockSpec{
			"variable":  rootVariableSpec,
			"host":      hostSpec,
			"container": containerSpec,
			"document":  documentSpec,
		},
		dynamic: true,
	}
	rootVariableSpec = &blockSpec{
		doc:    "A variable of the root definition file. Its value comes from the site's attribute `vars`, or, with `from = \"site\"`, from whoever runs the site.",
		labels: []string{"name"},
		attrs: append([]attrSpec{
			{name: "from", typ: textType, preset: `"` + fromProject + `"`, choices: []string{fromProject, fromSite}, doc: "Who gives the value: the attribute `vars` of the site, or the site itself, which compiles the file again. Images, hosts and the number of blocks cannot depend on a value of the site."},
			{name: "sensitive", typ: flagType, preset: "false", doc: "`true`: the site never shows the value. With `from = \"site\"` only."},
			{name: "placeholder", typ: anyType, preset: "one of the type", doc: "Constant that stands for the value where the patch is made and there is no default. With `from = \"site\"` only."},
		}, variableAttrs("Value where nobody gives one; a constant. Without it the variable is required.")...),
		blocks: map[string]*blockSpec{"validation": validationSpec},
		fixed:  true,
	}
	hostSpec = &blockSpec{
		doc:    "A host that containers run on.",
		labels: []string{"name"},
		attrs: []attrSpec{
			{name: "address", typ: textType, doc: "Name or IP address."},
			{name: "docker", typ: textType, preset: "the local one", doc: "Engine of the host: `unix://`, `tcp://` or `ssh://`, or the name of a Docker context at the site, see [redeploy.md](redeploy.md)."},
		},
	}
	containerSpec = &blockSpec{
		doc:    "A container that runs on a host.",
		labels: []string{"name"},
		attrs: []attrSpec{
			{name: "image", typ: textType, need: required, doc: "Name of an image in the image sets. It cannot depend on `images.*`, `patch.*` and variables of the site."},
			{name: "host", typ: textType, need: required, doc: "Name of a host block. It cannot depend on `images.*`, `patch.*` and variables of the site."},
			{name: "command", typ: wordsType, preset: "the image's", doc: "Command: a list, or a string that is split as a shell does."},
			{name: "entrypoint", typ: wordsType, preset: "the image's", doc: "Entrypoint, as `command`."},
			{name: "env", typ: textMapType, doc: "Environment variables; null elements are left out."},
			{name: "ports", typ: textsType, doc: "Published ports in Compose's short form: `[[ADDRESS:]HOST:]CONTAINER[/PROTOCOL]`."},
			{name: "volumes", typ: textsType, doc: "Mounts in Compose's short form: `NAME:TARGET`, `FOLDER:TARGET` or `TARGET`, with `:ro` behind it for reading only. A folder that begins with `./` or `../` is one of the project, and travels in the patch."},
			{name: "restart", typ: textType, doc: "Restart policy: `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:TRIES`."},
			{name: "privileged", typ: flagType, preset: "false", doc: "`true`: the container has all rights on the host."},
			{name: "depends_on", typ: textsType, doc: "Containers that must run before, those of other hosts too."},
		},
		blocks:  map[string]*blockSpec{"healthcheck": healthcheckSpec, "config": configFileSpec},
		dynamic: true,
	}
	healthcheckSpec = &blockSpec{
		doc:  "How the engine tells whether the container works.",
		once: true,
		attrs: []attrSpec{
			{name: "test", typ: wordsType, doc: "Command that succeeds where it works, in Compose's form."},
			{name: "interval", typ: textType, doc: "Time between tests, such as `30s`."},
			{name: "timeout", typ: textType, doc: "Time after which a test has failed."},
			{name: "start_period", typ: textType, doc: "Time in which failures do not count."},
			{name: "retries", typ: numberType, doc: "Number of failures in a row that count."},
			{name: "disable", typ: flagType, preset: "false", doc: "`true`: the image's own test is not run."},
		},
	}
	configFileSpec = &blockSpec{
		doc:    "A file that the container sees at the absolute path in the label, read-only. Exactly one of `template` and `content` is set.",
		labels: []string{"target"},
		attrs: []attrSpec{
			{name: "template", typ: textType, doc: "A file of the project that is rendered."},
			{name: "content", typ: textType, doc: "A text."},
			{name: "vars", typ: anyMapType, doc: "Further names for the template."},
		},
	}
	documentSpec = &blockSpec{
		doc:    "A document that goes with the patch, rendered from a template.",
		labels: []string{"name"},
		attrs: []attrSpec{
			{name: "title", typ: textType, need: required, doc: "Title, which is the name of the file, too; `-` stands for what some system refuses in file names."},
			{name: "template", typ: textType, need: required, doc: "A file of the project. The document ends as it does without `.tftpl`."},
			{name: "vars", typ: anyMapType, doc: "Further names for the template."},
		},
	}
)
