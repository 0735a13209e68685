package lang

// Types as Attribute.Type has them.
const (
	textType     = "string"
	flagType     = "bool"
	numberType   = "number"
	anyType      = "any"
	textsType    = "list(string)"
	textMapType  = "map(string)"
	anyMapType   = "map(any)"
	wordsType    = "string | list(string)"
	contextsType = "map(image | string)"
	encryptType  = "object({ recipients = optional(list(string)), recipients_files = optional(list(string)), passphrase = optional(object({ env = string })) })"
	secretsType  = "map(object({ env = optional(string), file = optional(string) }))"
	setsType     = "list(image_set)"
	rootType     = "root_definition"
	typeType     = "type"
	nameType     = "name"
	namesType    = "list(name)"
)

// Attributes that stand in several blocks.
var (
	forEachAttr = attrSpec{name: "for_each", typ: "map(any) | set(string)", doc: "Makes one instance for each element of a map, an object, or a set of strings. Within the block `each.key` and `each.value` are the element."}
	outsideAttr = attrSpec{name: "allow_outside", typ: flagType, preset: "false", doc: "`true`: the block's paths may leave the project."}
)

const nameDoc = "Letters, digits, dots, `-` and `_`, beginning with a letter or digit, 128 characters at most. References use the label."

// The blocks of configuration files.
var (
	projectSpec = &blockSpec{
		doc: "A configuration file. All of a folder are one configuration, in any order.",
		blocks: map[string]*blockSpec{
			"flotobuild":      settingsSpec,
			"variable":        variableSpec,
			"locals":          localsSpec,
			"image_set":       imageSetSpec,
			"root_definition": rootDefinitionSpec,
			"site":            siteSpec,
			"module":          moduleSpec,
			"output":          outputSpec,
			"function":        functionSpec,
			"envelope":        envelopeSpec,
		},
	}
	settingsSpec = &blockSpec{
		doc:  "Settings of the project.",
		once: true,
		attrs: []attrSpec{
			{name: "name", typ: textType, doc: "Name of the project. UUIDs of envelopes that have none of their own follow from it, so that two projects with envelopes for the same devices need different ones. " + nameDoc},
			{name: "required_version", typ: textType, doc: "Constraint on flotobuild itself, such as `~> 0.1`; a prerelease counts as its release."},
		},
		blocks:  map[string]*blockSpec{"engine": engineSpec},
		dynamic: true,
	}
	engineSpec = &blockSpec{
		doc:  "The build engine. Without `hosts` the embedded one builds. Modules cannot have this block.",
		once: true,
		attrs: []attrSpec{
			{name: "hosts", typ: textsType, doc: "BuildKit addresses: `unix://`, `tcp://`, `ssh://`, `docker-container://`, `podman-container://`, `nerdctl-container://`, `kube-pod://`."},
			{name: "compression", typ: textType, preset: `"` + defaultCompression + `"`, choices: compressions, doc: "Compression of new layers."},
			{name: "ca_bundle", typ: textType, doc: "File with certificate authorities for RUN steps, which get it as the secret `ca_bundle`: `RUN --mount=type=secret,id=ca_bundle,target=/etc/ssl/certs/ca-certificates.crt …`. It may stand anywhere on the building machine."},
		},
	}
	variableSpec = &blockSpec{
		doc:    "An input of the configuration. Its value comes from, a later one wins: `default`, the environment variable `FLOTOBUILD_VAR_NAME`, `flotobuild.hclvars`, `*.auto.hclvars`, `-var` and `-var-file`; in a module, from the module block.",
		labels: []string{"name"},
		attrs: append(variableAttrs("Value where none is given; a constant. Without it the variable is required."),
			attrSpec{name: "sensitive", typ: flagType, preset: "false", doc: "`true`: the value, and what is computed from it, is never shown and cannot stand in what plans and patches record."}),
		blocks: map[string]*blockSpec{"validation": validationSpec},
	}
	validationSpec = conditionSpec("The value is refused, with the message, where the condition is false. They may refer to other variables, local values and functions.")
	localsSpec     = &blockSpec{
		doc:  "Local values: attributes of any name. `local.NAME` is their value. There may be several such blocks.",
		free: true,
	}
	outputSpec = &blockSpec{
		doc:    "What a module gives to who calls it, as `module.….NAME`.",
		labels: []string{"name"},
		attrs: []attrSpec{
			{name: "value", typ: anyType, need: required, doc: "What `module.….NAME` gives."},
			{name: "description", typ: textType, doc: "Text for people."},
			{name: "sensitive", typ: flagType, preset: "false", doc: "`true`: the value is sensitive."},
		},
	}
	functionSpec = &blockSpec{
		doc:    "A function of the folder's own. Functions may call each other, but not themselves. Templates and root definition files that the configuration names can call them, too.",
		labels: []string{"name"},
		attrs: []attrSpec{
			{name: "params", typ: namesType, need: required, doc: "Parameter names, without quotes: `[a, b]`."},
			{name: "variadic_param", typ: nameType, doc: "Name of the parameter that takes all further arguments, as a tuple."},
			{name: "result", typ: anyType, need: required, doc: "Expression for the result. It sees the parameters and functions only."},
		},
	}
	moduleSpec = &blockSpec{
		doc:    "Evaluates the configuration in another folder of the project, and makes its image sets, root definitions and sites part of the project. Attributes besides `source` and `for_each` are values for the module's variables.",
		labels: []string{"name"},
		free:   true,
		attrs: []attrSpec{
			{name: "source", typ: textType, need: required, doc: "The folder, as a plain string that begins with `./` or `../`."},
			forEachAttr,
		},
	}
	variablesSpec = &blockSpec{
		doc:  "A file of variables: `NAME = VALUE` for variables of the project, with constant values.",
		free: true,
	}
)

// variableAttrs are those that variables of all kinds of files have.
func variableAttrs(defaultDoc string) []attrSpec {
	return []attrSpec{
		{name: "type", typ: typeType, preset: anyType, doc: "`string`, `number`, `bool`, `list(…)`, `set(…)`, `map(…)`, `object({…})`, `tuple([…])`, `any`; in objects `optional(TYPE)` and `optional(TYPE, DEFAULT)`."},
		{name: "default", typ: anyType, doc: defaultDoc},
		{name: "description", typ: textType, doc: "Text for people."},
		{name: "nullable", typ: flagType, preset: "true", doc: "`false`: null is refused, or replaced by the default."},
	}
}

// conditionSpec is that of validations and preconditions.
func conditionSpec(doc string) *blockSpec {
	return &blockSpec{
		doc: doc,
		attrs: []attrSpec{
			{name: "condition", typ: flagType, need: required, doc: "What must be true."},
			{name: "error_message", typ: textType, need: required, doc: "What to say where it is not."},
		},
	}
}
