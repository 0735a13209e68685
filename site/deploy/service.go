package deploy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
)

// Labels of containers that a redeploy has made.
const (
	labelSite    = "flotobuild.site"
	labelHost    = "flotobuild.host"
	labelService = "flotobuild.service" // digest of the service
)

// A service is what a host should run under one name.
type service struct {
	name  string
	image digest.Digest // the engine's id
	sum   string        // of all that Compose makes its containers from
	count int           // of containers
	// needs are the containers that come before, those of other hosts too;
	// finished are those of them that must have ended well.
	needs, finished []string
	// shares are the services of the host whose network, processes or volumes it
	// uses: their containers are part of its own.
	shares []string
}

// newService reads what a Compose service says about how it runs.
func newService(name string, body map[string]any) *service {
	s := &service{name: name, count: 1}
	if deploy, ok := body["deploy"].(map[string]any); ok {
		s.count = number(deploy["replicas"], s.count)
	}
	s.count = number(body["scale"], s.count)
	if depends, ok := body["depends_on"].(map[string]any); ok {
		for other, v := range depends {
			if c, ok := v.(map[string]any); ok && c["condition"] == "service_completed_successfully" {
				s.finished = append(s.finished, other)
			}
		}
	}
	for _, key := range []string{"network_mode", "ipc", "pid"} {
		if mode, ok := body[key].(string); ok && strings.HasPrefix(mode, "service:") {
			s.shares = append(s.shares, strings.TrimPrefix(mode, "service:"))
		}
	}
	from, _ := body["volumes_from"].([]any)
	for _, v := range from {
		other, _, _ := strings.Cut(fmt.Sprint(v), ":")
		s.shares = append(s.shares, other)
	}
	slices.Sort(s.finished)
	return s
}

func number(v any, otherwise int) int {
	if n, ok := v.(int); ok && n >= 0 {
		return n
	}
	return otherwise
}

// gated says that a service runs only for those who ask for its profile.
func gated(body map[string]any) bool {
	p, _ := body["profiles"].([]any)
	return len(p) > 0
}

// label adds labels to a service, whichever of the two forms its own have.
func label(body map[string]any, add map[string]string) {
	labels := make(map[string]any)
	switch own := body["labels"].(type) {
	case map[string]any:
		maps.Copy(labels, own)
	case []any:
		for _, l := range own {
			name, value, _ := strings.Cut(fmt.Sprint(l), "=")
			labels[name] = value
		}
	}
	for k, v := range add {
		labels[k] = escape(v)
	}
	body["labels"] = labels
}

// sum digests everything that makes up a service: its body, and the configs and
// secrets of the file that it names.
func sum(body map[string]any, file map[string]any) (string, error) {
	of := map[string]any{"service": body}
	for _, kind := range []string{"configs", "secrets"} {
		all, _ := file[kind].(map[string]any)
		uses, _ := body[kind].([]any)
		for _, u := range uses {
			name := u
			if m, ok := u.(map[string]any); ok {
				name = m["source"]
			}
			text := fmt.Sprint(name)
			of[kind+" "+text] = all[text]
		}
	}
	b, err := json.Marshal(of)
	if err != nil {
		return "", fmt.Errorf("cannot compare the service: %w", err)
	}
	h := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(h[:]), nil
}

// escape makes text that Compose takes as it is: it replaces variables.
func escape(text string) string { return strings.ReplaceAll(text, "$", "$$") }

func unescape(text string) string { return strings.ReplaceAll(text, "$$", "$") }
