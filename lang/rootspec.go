package lang

// The blocks of root definition files in the native form.
var (
	rootFileSpec = &blockSpec{
		blocks: map[string]*blockSpec{
			"variable":  rootVariableSpec,
			"host":      hostSpec,
			"container": containerSpec,
			"document":  documentSpec,
		},
		dynamic: true,
	}
	rootVariableSpec = &blockSpec{
		labels:   []string{"name"},
		optional: []string{"type", "default", "description", "nullable"},
		blocks:   map[string]*blockSpec{"validation": conditionSpec},
	}
	hostSpec = &blockSpec{
		labels:   []string{"name"},
		optional: []string{"address", "docker"},
	}
	containerSpec = &blockSpec{
		labels:   []string{"name"},
		required: []string{"image", "host"},
		optional: []string{"command", "entrypoint", "env", "ports", "volumes", "restart", "privileged", "depends_on"},
		blocks:   map[string]*blockSpec{"healthcheck": healthcheckSpec, "config": configFileSpec},
		dynamic:  true,
	}
	healthcheckSpec = &blockSpec{
		once:     true,
		optional: []string{"test", "interval", "timeout", "start_period", "retries", "disable"},
	}
	configFileSpec = &blockSpec{
		labels:   []string{"target"},
		optional: []string{"template", "content", "vars"},
	}
	documentSpec = &blockSpec{
		labels:   []string{"name"},
		required: []string{"title", "template"},
		optional: []string{"vars"},
	}
)
