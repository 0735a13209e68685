package registry

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// conformance names the program of the distribution specification's conformance
// test. It is no Go module that could be required: docs/site-server.md says how it
// is made.
const conformance = "FLOTOBUILD_TEST_CONFORMANCE"

func TestConformance(t *testing.T) {
	program := os.Getenv(conformance)
	if program == "" {
		t.Skipf("%s does not name the conformance test of the distribution specification", conformance)
	}
	w := plant(t)
	multi, single := w.multi("Web_UI"), w.image("Web_UI", "x")
	w.release(4, "1.3.0", multi)
	w.release(5, "1.4.0", single)
	m := single.Manifests[0]
	cmd := exec.Command(program)
	cmd.Dir = t.TempDir()
	// digestHeader stays off: of preloaded manifests the program looks for that
	// header in an answer that it has not kept. TestManifestsAndBlobs looks for it.
	cmd.Env = append(os.Environ(),
		"OCI_REGISTRY="+w.serve(), "OCI_TLS=disabled", "OCI_REPO1=web_ui", "OCI_VERSION=1.1",
		"OCI_API_PUSH=false", "OCI_API_BLOBS_DELETE=false", "OCI_API_MANIFESTS_DELETE=false", "OCI_API_TAGS_DELETE=false",
		"OCI_RO_DATA_TAGS=1.3.0 1.4.0", "OCI_RO_DATA_MANIFESTS="+multi.Descriptor.Digest.String()+" "+m.Descriptor.Digest.String(),
		"OCI_RO_DATA_BLOBS="+m.Config.Digest.String()+" "+m.Layers[0].Digest.String(),
		"OCI_RO_DATA_REFERRERS="+m.Descriptor.Digest.String())
	// It ends with a panic of its own once it has printed the result.
	out, err := cmd.CombinedOutput()
	if !strings.Contains(string(out), "OCI Conformance Result: Pass") {
		t.Errorf("%v:\n%s", err, out)
	}
}
