package docker

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/docker/cli/cli/config"
	clicontext "github.com/docker/cli/cli/context"
	"github.com/docker/cli/cli/context/docker"
	"github.com/docker/cli/cli/context/store"
	"github.com/moby/moby/client"
)

// An Environment is where the docker command's settings come from.
type Environment struct {
	Getenv func(string) string
	Home   string // the user's folder; ~/.docker is in it unless DOCKER_CONFIG says otherwise
}

// An Endpoint is where an engine listens, with what it takes to get in.
type Endpoint struct {
	// Name is what people know it by: its address, or the name of a context.
	Name string
	// Address is unix:///PATH, tcp://HOST:PORT, ssh://HOST or http(s)://….
	Address string

	docker docker.Endpoint
}

// defaultContext is the context that stands for DOCKER_HOST or the local
// socket.
const defaultContext = "default"

// Resolve finds the engine that text names: an address, the name of a Docker
// context, or, when it is empty, the one that the docker command would use by
// DOCKER_HOST, DOCKER_CONTEXT and its own configuration. Nothing is connected.
func (e Environment) Resolve(text string) (*Endpoint, error) {
	switch {
	case strings.Contains(text, "://"):
		return e.address(text)
	case text != "" && text != defaultContext:
		return e.context(text)
	}
	if host := e.Getenv(client.EnvOverrideHost); host != "" {
		return e.address(host)
	}
	name := e.Getenv("DOCKER_CONTEXT")
	if name == "" && text == "" {
		file, err := config.Load(e.configDir())
		if err != nil {
			return nil, fmt.Errorf("cannot read Docker's configuration: %w", err)
		}
		name = file.CurrentContext
	}
	if text == "" && name != "" && name != defaultContext {
		return e.context(name)
	}
	return e.address(client.DefaultDockerHost)
}

func (e Environment) configDir() string {
	return cmp.Or(e.Getenv(config.EnvOverrideConfigDir), filepath.Join(e.Home, ".docker"))
}

// schemes are the ways to an engine.
var schemes = []string{"unix", "tcp", "ssh", "http", "https"}

func (e Environment) address(text string) (*Endpoint, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("cannot use the engine's address %q: %w", text, errors.Unwrap(err))
	}
	p := &Endpoint{Name: u.Redacted(), Address: text}
	p.docker.Host = text
	switch {
	case u.User != nil && passworded(u):
		return nil, fmt.Errorf("cannot use the engine's address %q: it has a password; use keys", p.Name)
	case u.Scheme == "unix" && u.Path == "", u.Scheme != "unix" && u.Host == "":
		return nil, fmt.Errorf("cannot use the engine's address %q: it names no %s", text, map[bool]string{true: "socket", false: "host"}[u.Scheme == "unix"])
	case !slices.Contains(schemes, u.Scheme):
		return nil, fmt.Errorf("cannot use the engine's address %q: it begins with none of unix://, tcp:// and ssh://", text)
	}
	if u.Scheme != "tcp" {
		return p, nil
	}
	verify := e.Getenv(client.EnvTLSVerify) != ""
	if !verify && e.Getenv("DOCKER_TLS") == "" {
		return p, nil
	}
	dir := cmp.Or(e.Getenv(client.EnvOverrideCertPath), e.configDir())
	p.docker.SkipTLSVerify = !verify
	p.docker.TLSData, err = clicontext.TLSDataFromFiles(filepath.Join(dir, "ca.pem"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		return nil, fmt.Errorf("cannot read the keys for the engine %q, which DOCKER_TLS_VERIFY asks for: %w", p.Name, err)
	}
	return p, nil
}

func passworded(u *url.URL) bool {
	_, ok := u.User.Password()
	return ok
}

// context reads the endpoint of a Docker context.
func (e Environment) context(name string) (*Endpoint, error) {
	metadata := func() any { return &docker.EndpointMeta{} }
	contexts := store.New(filepath.Join(e.configDir(), "contexts"), store.NewConfig(nil, store.EndpointTypeGetter(docker.DockerEndpoint, metadata)))
	if err := store.ValidateContextName(name); err != nil {
		return nil, fmt.Errorf("cannot use the Docker context %q: %w", name, err)
	}
	m, err := contexts.GetMetadata(name)
	if err != nil {
		return nil, fmt.Errorf("cannot use the Docker context %q: %w", name, err)
	}
	meta, err := docker.EndpointFromContext(m)
	if err != nil {
		return nil, fmt.Errorf("cannot use the Docker context %q: %w", name, err)
	}
	p := &Endpoint{Name: name, Address: meta.Host}
	if p.docker, err = docker.WithTLSData(contexts, name, meta); err != nil {
		return nil, fmt.Errorf("cannot use the Docker context %q: %w", name, err)
	}
	return p, nil
}

// Local says whether the engine is reached by a socket of this machine, and so
// sees its files.
func (p *Endpoint) Local() bool { return strings.HasPrefix(p.Address, "unix://") }
