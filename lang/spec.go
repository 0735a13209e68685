package lang

// A blockSpec says what may stand in a block.
type blockSpec struct {
	labels   []string
	required []string // must be set, and not to null
	notNull  []string // must not be null where they are set
	optional []string
	blocks   map[string]*blockSpec
	once     bool // at most one such block in its parent
	dynamic  bool // dynamic blocks may make the blocks in it

	// free blocks hold any attributes, as locals does.
	free bool
	// later and laterBlocks are attributes and blocks of the language that this
	// version refuses.
	later       []string
	laterBlocks []string
}

var (
	patchSpec = &blockSpec{
		once:     true,
		required: []string{"version"},
		optional: []string{"name", "comment", "parent", "output", "allow_outside"},
		blocks:   map[string]*blockSpec{"policy": policySpec},
		dynamic:  true,
		later:    []string{"also_from", "delta", "volume_size", "sign", "encrypt", "parity"},
	}
	policySpec = &blockSpec{
		once:     true,
		optional: []string{"clean_tree"},
		later:    []string{"max_size", "allow_removed_images"},
	}
	siteSpec = &blockSpec{
		labels:   []string{"name"},
		required: []string{"root_definition"},
		optional: []string{"for_each", "name", "vars"},
		blocks:   map[string]*blockSpec{"patch": patchSpec, "precondition": conditionSpec},
		dynamic:  true,
		later:    []string{"envelopes"},
	}
	rootDefinitionSpec = &blockSpec{
		labels:   []string{"name"},
		required: []string{"file", "image_sets"},
		optional: []string{"allow_outside"},
		blocks:   map[string]*blockSpec{"conf": confSpec},
		dynamic:  true,
	}
	confSpec = &blockSpec{
		once:     true,
		optional: []string{"include", "exclude"},
	}
	imageSetSpec = &blockSpec{
		labels: []string{"name"},
		blocks: map[string]*blockSpec{"image": imageSpec},
	}
	imageSpec = &blockSpec{
		labels: []string{"name"},
		optional: []string{
			"for_each", "name", "context", "dockerfile", "target", "args", "contexts", "secrets",
			"rootfs", "source", "platforms", "labels", "allow_outside",
		},
		notNull: []string{"context", "rootfs", "source"},
		blocks:  map[string]*blockSpec{"precondition": conditionSpec},
		dynamic: true,
		later:   []string{"version"},
	}
	variableSpec = &blockSpec{
		labels:   []string{"name"},
		optional: []string{"type", "default", "description", "sensitive", "nullable"},
		blocks:   map[string]*blockSpec{"validation": conditionSpec},
	}
	// conditionSpec is that of validations and preconditions.
	conditionSpec = &blockSpec{required: []string{"condition", "error_message"}}
	moduleSpec    = &blockSpec{labels: []string{"name"}, free: true}
	outputSpec    = &blockSpec{
		labels:   []string{"name"},
		required: []string{"value"},
		optional: []string{"description", "sensitive"},
	}
	functionSpec = &blockSpec{
		labels:   []string{"name"},
		required: []string{"params", "result"},
		optional: []string{"variadic_param"},
	}
	settingsSpec = &blockSpec{
		once:     true,
		optional: []string{"required_version"},
		blocks:   map[string]*blockSpec{"engine": engineSpec},
		dynamic:  true,
	}
	engineSpec = &blockSpec{
		once:     true,
		optional: []string{"hosts", "compression", "ca_bundle"},
	}
	projectSpec = &blockSpec{
		blocks: map[string]*blockSpec{
			"flotobuild":      settingsSpec,
			"variable":        variableSpec,
			"locals":          {free: true},
			"image_set":       imageSetSpec,
			"root_definition": rootDefinitionSpec,
			"site":            siteSpec,
			"module":          moduleSpec,
			"output":          outputSpec,
			"function":        functionSpec,
		},
		laterBlocks: []string{"envelope"},
	}
)
