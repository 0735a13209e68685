package web

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/flotobuild/flotobuild/site"
)

const secret = "geheim-42"

// withVariables gives a server with a patch that needs values, and its id.
func withVariables(t *testing.T) (*rig, *factory, string) {
	t.Helper()
	r, f := newRig(t), newFactory(t)
	f.variables = true
	return r, f, mustImport(t, r.site, f.next("one"))
}

// TestVars sets values through the API, after an activation was refused for want
// of them.
func TestVars(t *testing.T) {
	r, _, id := withVariables(t)
	failed := r.finish(r.want(202, r.operator, "POST", "/api/v1/patches/"+id+"/activate", nil))
	if failed.State != Failed || !failed.BadValues || !strings.Contains(failed.Error, "plc (string): Address of the PLC.") || failed.Hint != "set 2 missing values, and activate the patch again" {
		t.Errorf("activation without values: %+v", failed)
	}
	set := func(status int, name, body string) string {
		t.Helper()
		return r.want(status, r.operator, "PUT", "/api/v1/vars/"+name, []byte(body))
	}
	set(204, "plc", `{"value":"10.0.0.7"}`)
	set(204, "pin", `{"value":"`+secret+`"}`)
	set(204, "rates", `{"value":"[99]"}`)
	set(204, "unheard-of", `{"value":"`+secret+`"}`)
	set(422, "port", `{"value":"many"}`)
	set(422, "a%20b", `{"value":"x"}`)
	set(400, "plc", `{"valeu":"x"}`)
	set(400, "plc", "10.0.0.7")
	set(400, "plc", `{"value":"`+strings.Repeat("x", maxForm)+`"}`)
	failed = r.finish(r.want(202, r.operator, "POST", "/api/v1/patches/"+id+"/activate", nil))
	if !failed.BadValues || !strings.Contains(failed.Error, "No rate above 10.") || !strings.Contains(failed.Hint, "do not fit") {
		t.Errorf("activation with a wrong value: %+v", failed)
	}
	r.want(204, r.operator, "DELETE", "/api/v1/vars/rates", nil)
	r.want(404, r.operator, "DELETE", "/api/v1/vars/rates", nil)
	if done := r.finish(r.want(202, r.operator, "POST", "/api/v1/patches/"+id+"/activate", nil)); done.State != Done {
		t.Errorf("activation: %+v", done)
	}
	set(204, "plc", `{"value":""}`)
	set(204, "port", `{"value":"1"}`)
	if text := r.want(200, r.operator, "POST", "/api/v1/vars/restore", nil); !strings.Contains(text, `"plc",`) || !strings.Contains(text, `"port"`) || strings.Contains(text, `"pin"`) {
		t.Errorf("restored: %s", text)
	}
	if text := r.want(200, r.operator, "POST", "/api/v1/vars/restore", nil); !strings.Contains(text, `"restored": []`) {
		t.Errorf("restored again: %s", text)
	}
	if values, err := r.site.Vars(); err != nil || values["plc"] != "10.0.0.7" || values["pin"] != secret || len(values) != 3 {
		t.Errorf("values %q, %v", values, err)
	}
	set(204, "plc", `{"value":""}`)
	for _, token := range []string{r.operator, r.viewer} {
		for _, path := range []string{"/vars", "/api/v1/vars", "/api/v1/history", "/history", "/api/v1/tasks", "/patches/" + id, "/api/v1/patches/" + id} {
			if text := r.want(200, token, "GET", path, nil); strings.Contains(text, secret) {
				t.Errorf("%s shows a secret", path)
			}
		}
	}
	var got struct {
		Changed   bool
		Variables []site.Variable
	}
	if err := json.Unmarshal([]byte(r.want(200, r.viewer, "GET", "/api/v1/vars", nil)), &got); err != nil || !got.Changed || len(got.Variables) != 5 {
		t.Errorf("variables: %+v, %v", got, err)
	}
}

// TestVarsForm does the same with the forms of the page, which show the viewer no
// values at all.
func TestVarsForm(t *testing.T) {
	r, f, id := withVariables(t)
	f.variables = false
	mustImport(t, r.site, f.next("two")) // the newest needs none
	v, csrf := r.signIn(r.operator)
	if _, text := v.get("/patches/" + id); !strings.Contains(text, "The site has no value of") || !strings.Contains(text, "/vars?patch="+id) {
		t.Error("the page of the patch does not say what is missing")
	}
	if _, text := v.get("/vars"); !strings.Contains(text, "No patch leaves values") {
		t.Errorf("the newest patch needs values: %s", text)
	}
	post := func(path, value string) (int, string) {
		t.Helper()
		return v.post(path, url.Values{"csrf": {csrf}, "patch": {id}, "value": {value}})
	}
	if status, _ := v.post("/vars/plc", url.Values{"value": {"x"}}); status != 403 {
		t.Errorf("without the session's secret: %d", status)
	}
	for _, c := range []struct {
		name, value string
		status      int
		want        string
	}{
		{"plc", "first\r\nsecond", 200, "first\nsecond</textarea>"},
		{"plc", `10.0.0.7"<b>`, 200, `value="10.0.0.7&#34;&lt;b&gt;"`},
		{"pin", secret, 200, "The value of <span class=\"name\">pin</span> was changed"},
		{"pin", "", 422, "The field was empty; nothing was set"},
		{"port", "many", 422, "a number is required"},
		{"port", "many<", 422, `value="many&lt;"`},
		{"nobody's", "x", 422, "this is no name of a variable"},
		{"rates/unset", "", 404, "the site has no value of it"},
		{"plc/unset", "", 200, "missing"},
	} {
		status, text := post("/vars/"+c.name, c.value)
		if status != c.status || !strings.Contains(strings.ReplaceAll(text, "&#39;", "'"), c.want) || strings.Contains(text, secret) {
			t.Errorf("%s = %q gives %d: %s", c.name, c.value, status, text)
		}
	}
	if values, err := r.site.Vars(); err != nil || values["pin"] != secret || len(values) != 1 {
		t.Errorf("values %q, %v", values, err)
	}
	if err := r.site.SetVar(t.Context(), "plc", "10.0.0.7", "test"); err != nil {
		t.Fatal(err)
	}
	onlooker, _ := r.signIn(r.viewer)
	if _, text := onlooker.get("/vars?patch=" + id); strings.Contains(text, "10.0.0.7") || strings.Contains(text, `name="value"`) || !strings.Contains(text, "Address of the PLC.") {
		t.Errorf("a viewer sees %s", text)
	}
	if status, _ := onlooker.get("/vars?patch=none"); status != 404 {
		t.Errorf("the values of a patch that is not there: %d", status)
	}
}
