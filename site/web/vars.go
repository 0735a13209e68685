package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/site"
)

// A varsView is the data of the page of the values that only the site knows.
type varsView struct {
	Variables []varView
	// Patch is the one whose variables are listed besides those of the active one
	// and the newest; empty for none.
	Patch *site.Patch
	// Changed is the id of the active patch, where it was activated with other
	// values.
	Changed string
	Done    string // variable that was changed just now
}

// A varView is a variable as the page shows it.
type varView struct {
	site.Variable
	NeededBy []string // patches, in words
	Problem  string   // why what was typed is not taken
}

// Long says that a value may take several lines.
func (v varView) Long() bool {
	return strings.Contains(v.Value, "\n") || !slices.Contains([]string{"", "string", "number", "bool"}, v.Type)
}

// State is in one word what the site has.
func (v varView) State() string {
	switch {
	case v.Missing():
		return "missing"
	case v.Set:
		return "set"
	}
	return "default"
}

// variables lists what patches leave to the site, those of a patch that the
// request names included. Values are for those who may change them.
func (s *Server) variables(r *http.Request) ([]site.Variable, error) {
	var also []string
	if id := r.FormValue("patch"); id != "" {
		if _, err := s.patch(id); err != nil {
			return nil, err
		}
		also = append(also, id)
	}
	all, err := s.site.Variables(r.Context(), also...)
	if !who(r).CanOperate() {
		for n := range all {
			all[n].Value = ""
		}
	}
	return all, err
}

func (s *Server) varsPage(w http.ResponseWriter, r *http.Request) {
	s.showVars(w, r, http.StatusOK, "", nil)
}

// showVars shows the page, with what is wrong with a variable.
func (s *Server) showVars(w http.ResponseWriter, r *http.Request, status int, name string, wrong error) {
	v, err := s.varsView(r)
	if err != nil {
		s.broken(w, r, err)
		return
	}
	n := slices.IndexFunc(v.Variables, func(o varView) bool { return o.Name == name })
	if wrong != nil && n < 0 {
		s.broken(w, r, wrong) // a variable that no page has
		return
	}
	if wrong != nil {
		o := &v.Variables[n]
		if o.Problem = upper(wrong.Error()); !o.Sensitive {
			o.Value = r.PostFormValue("value") // to be mended
		}
	}
	s.show(w, r, status, "vars", "Values", v)
}

func (s *Server) varsView(r *http.Request) (*varsView, error) {
	all, err := s.variables(r)
	if err != nil {
		return nil, err
	}
	v := new(varsView)
	if id := r.FormValue("patch"); id != "" {
		if v.Patch, err = s.patch(id); err != nil {
			return nil, err
		}
	}
	active, _, err := s.site.Active()
	if err != nil {
		return nil, err
	}
	changed, err := s.site.VarsChanged()
	if err != nil {
		return nil, err
	}
	if changed {
		v.Changed = active
	}
	for _, o := range all {
		one := varView{Variable: o}
		for _, id := range o.Patches {
			switch {
			case id == active:
				one.NeededBy = append(one.NeededBy, "the active patch")
			case v.Patch != nil && id == v.Patch.ID:
				one.NeededBy = append(one.NeededBy, v.Patch.Name+" "+v.Patch.Version)
			default:
				one.NeededBy = append(one.NeededBy, "the newest patch")
			}
		}
		if v.Variables = append(v.Variables, one); o.Name == r.URL.Query().Get("done") {
			v.Done = o.Name
		}
	}
	return v, nil
}

// errEmptySecret keeps an empty field, which is how secrets are shown, from
// becoming the value.
var errEmptySecret = &site.ValueError{Reason: errors.New("the field was empty; nothing was set")}

// setVar sets a variable, unless the value does not fit it.
func (s *Server) setVar(r *http.Request, value string, form bool) error {
	name, patch := r.PathValue("name"), r.FormValue("patch")
	_, sensitive, err := s.site.CheckVar(r.Context(), name, value, patch)
	if err == nil && form && sensitive && value == "" {
		err = errEmptySecret
	}
	if err != nil {
		return err
	}
	return s.site.SetVar(r.Context(), name, value, who(r).Name)
}

// setVarForm answers the form of a variable. Browsers send lines as in mail.
func (s *Server) setVarForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	value := strings.ReplaceAll(r.PostFormValue("value"), "\r\n", "\n")
	s.changedVar(w, r, s.setVar(r, value, true))
}

func (s *Server) unsetVarForm(w http.ResponseWriter, r *http.Request) {
	s.changedVar(w, r, s.site.UnsetVar(r.Context(), r.PathValue("name"), who(r).Name))
}

// changedVar shows the page again, or what went wrong.
func (s *Server) changedVar(w http.ResponseWriter, r *http.Request, err error) {
	if wrong := (*site.ValueError)(nil); errors.As(err, &wrong) {
		s.showVars(w, r, http.StatusUnprocessableEntity, r.PathValue("name"), err)
		return
	}
	if err != nil {
		s.broken(w, r, err)
		return
	}
	query := "done=" + r.PathValue("name")
	if id := r.FormValue("patch"); id != "" {
		query += "&patch=" + id
	}
	http.Redirect(w, r, "/vars?"+query, http.StatusSeeOther)
}

// restoreVarsForm sets the values that the active patch has.
func (s *Server) restoreVarsForm(w http.ResponseWriter, r *http.Request) {
	if _, err := s.site.RestoreVars(r.Context(), who(r).Name); err != nil {
		s.broken(w, r, err)
		return
	}
	http.Redirect(w, r, "/vars", http.StatusSeeOther)
}

func (s *Server) apiRestoreVars(w http.ResponseWriter, r *http.Request) {
	names, err := s.site.RestoreVars(r.Context(), who(r).Name)
	if err != nil {
		s.broken(w, r, err)
		return
	}
	s.answer(w, r, http.StatusOK, map[string]any{"formatVersion": apiVersion, "restored": append([]string{}, names...)})
}

func (s *Server) apiVars(w http.ResponseWriter, r *http.Request) {
	all, err := s.variables(r)
	if err != nil {
		s.broken(w, r, err)
		return
	}
	changed, err := s.site.VarsChanged()
	if err != nil {
		s.broken(w, r, err)
		return
	}
	s.answer(w, r, http.StatusOK, map[string]any{"formatVersion": apiVersion, "variables": all, "changed": changed})
}

// apiSetVar takes {"value": "…"}.
func (s *Server) apiSetVar(w http.ResponseWriter, r *http.Request) {
	var body struct{ Value *string }
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm)).Decode(&body)
	if err != nil || body.Value == nil {
		s.refuse(w, r, http.StatusBadRequest, `the body must be {"value": "…"}`)
		return
	}
	s.noContent(w, r, s.setVar(r, *body.Value, false))
}

func (s *Server) apiUnsetVar(w http.ResponseWriter, r *http.Request) {
	s.noContent(w, r, s.site.UnsetVar(r.Context(), r.PathValue("name"), who(r).Name))
}

// missing lists the variables that keep a patch from being activated: they have
// no value. Where that cannot be told, the activation does.
func (s *Server) missing(r *http.Request, id string) []string {
	all, err := s.site.Variables(r.Context(), id)
	if err != nil {
		return nil
	}
	var out []string
	for _, v := range all {
		if v.Missing() && slices.Contains(v.Patches, id) {
			out = append(out, v.Name)
		}
	}
	return out
}

// valuesHint is what the error of a task that lacks values leads to.
func valuesHint(err error) string {
	values := (*site.VarsError)(nil)
	if !errors.As(err, &values) {
		return ""
	}
	if len(values.Missing) == 0 {
		return "change the values that do not fit, and activate the patch again"
	}
	return fmt.Sprintf("set %s, and activate the patch again", count(len(values.Missing), "missing value"))
}
