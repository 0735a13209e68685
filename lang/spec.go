package lang

// A blockSpec says what may stand in a block.
type blockSpec struct {
	labels   []string
	required []string // must be set, and not to null
	notNull  []string // must not be null where they are set
	optional []string
	blocks   map[string]*blockSpec
	once     bool // at most one such block in its parent

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
		later:    []string{"also_from", "delta", "volume_size", "sign", "encrypt", "parity"},
	}
	policySpec = &blockSpec{
		once:     true,
		optional: []string{"clean_tree"},
		later:    []string{"max_size", "allow_removed_images"},
	}
	siteSpec = &blockSpec{
		labels:      []string{"name"},
		required:    []string{"root_definition"},
		optional:    []string{"name", "vars"},
		blocks:      map[string]*blockSpec{"patch": patchSpec},
		later:       []string{"envelopes", "for_each"},
		laterBlocks: []string{"dynamic"},
	}
	rootDefinitionSpec = &blockSpec{
		labels:      []string{"name"},
		required:    []string{"file", "image_sets"},
		optional:    []string{"allow_outside"},
		blocks:      map[string]*blockSpec{"conf": confSpec},
		laterBlocks: []string{"dynamic"},
	}
	confSpec = &blockSpec{
		once:     true,
		optional: []string{"include", "exclude"},
	}
	imageSetSpec = &blockSpec{
		labels:      []string{"name"},
		blocks:      map[string]*blockSpec{"image": imageSpec},
		laterBlocks: []string{"dynamic"},
	}
	imageSpec = &blockSpec{
		labels: []string{"name"},
		optional: []string{
			"name", "context", "dockerfile", "target", "args", "contexts", "secrets",
			"rootfs", "source", "platforms", "labels", "allow_outside",
		},
		notNull:     []string{"context", "rootfs", "source"},
		later:       []string{"version", "for_each"},
		laterBlocks: []string{"dynamic"},
	}
	variableSpec = &blockSpec{
		labels:   []string{"name"},
		optional: []string{"type", "default", "description", "sensitive", "nullable"},
		blocks:   map[string]*blockSpec{"validation": validationSpec},
	}
	validationSpec = &blockSpec{required: []string{"condition", "error_message"}}
	settingsSpec   = &blockSpec{
		once:     true,
		optional: []string{"required_version"},
		blocks:   map[string]*blockSpec{"engine": engineSpec},
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
		},
		laterBlocks: []string{"envelope", "module", "function"},
	}
)
