package planner

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func sampleFile(t testing.TB) []byte {
	t.Helper()
	p := samplePlan(t)
	p.ToolVersion = "1.2.3"
	data, err := EncodeFile(p, []PlanVariable{
		{Name: "release", Value: `"1.0.0"`, Origin: "-var"},
		{Name: "token", Origin: "FLOTOBUILD_VAR_token", Sensitive: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestPlanFile(t *testing.T) {
	data := sampleFile(t)
	f, err := DecodeFile(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	want := samplePlan(t)
	want.ToolVersion = "1.2.3"
	if !reflect.DeepEqual(f.Plan, want) || f.Variables[0].Value != `"1.0.0"` || !f.Variables[1].Sensitive {
		t.Errorf("got %+v", f)
	}
	again, err := EncodeFile(f.Plan, f.Variables)
	if err != nil || !bytes.Equal(again, data) {
		t.Errorf("encoding is not stable: %v", err)
	}
	if !LooksLikePlan(data[:40]) || LooksLikePlan([]byte(`{"format":"other"}`)) || LooksLikePlan(nil) {
		t.Error("LooksLikePlan is wrong")
	}
}

func TestPlanFileRefuses(t *testing.T) {
	data := string(sampleFile(t))
	replace := func(old, with string) string {
		s := strings.Replace(data, old, with, 1)
		if s == data {
			t.Fatalf("nothing to replace: %s", old)
		}
		return s
	}
	for name, c := range map[string]struct{ file, message string }{
		"empty":           {"", "the file is empty"},
		"patch":           {"PK\x03\x04rest", "it is a ZIP file"},
		"other JSON":      {`{"formatVersion": 1}`, "no saved plan"},
		"text":            {"site \"x\" {}", "no saved plan"},
		"truncated":       {data[:len(data)-50], "it is damaged"},
		"trailing":        {data + "{}", "it is damaged"},
		"newer":           {replace(`"formatVersion": 1`, `"formatVersion": 9`), `version 9, made by flotobuild "1.2.3"`},
		"newer plan":      {replace("\"plan\": {\n    \"formatVersion\": 1", "\"plan\": {\n    \"formatVersion\": 9"), "version 9"},
		"no plan":         {`{"format":"flotobuild-plan","formatVersion":1}`, "cannot decode plan"},
		"null plan":       {`{"format":"flotobuild-plan","formatVersion":1,"plan":null}`, "version 0"},
		"edited variable": {replace(`\"1.0.0\"`, `\"1.0.1\"`), "does not match its digest"},
		"edited plan":     {replace(`"revision": "v1"`, `"revision": "v2"`), "does not match its digest"},
		"no digest":       {replace(`"digest": "sha256:`, `"digest": "`), "does not match its digest"},
		"unknown field":   {replace(`"variables"`, `"extra": 1, "variables"`), "unknown field"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := decodeFile([]byte(c.file)); err == nil || !strings.Contains(err.Error(), c.message) {
				t.Errorf("got %v", err)
			}
		})
	}
	var not *NotPlanError
	if _, err := decodeFile([]byte("PK\x03\x04")); !errors.As(err, &not) {
		t.Errorf("got %v", err)
	}
}

func FuzzDecodeFile(f *testing.F) {
	// A small one: large ones are slow to minimize, and FuzzDecode has them.
	data, err := EncodeFile(&Plan{FormatVersion: FormatVersion, ToolVersion: "1"}, []PlanVariable{{Name: "v", Value: "1", Origin: "-var"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Add([]byte(`{"format":"flotobuild-plan","formatVersion":1,"plan":{"formatVersion":1}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := decodeFile(data)
		if err != nil {
			return
		}
		again, err := EncodeFile(p.Plan, p.Variables)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decodeFile(again); err != nil {
			t.Fatalf("cannot decode what was encoded: %v", err)
		}
	})
}
