package deploy

import (
	"github.com/flotobuild/flotobuild/site"
)

// ActionRedeploy is the action of events in a site's history.
const ActionRedeploy = "redeploy"

// Of gives a site's store as deployments see it.
func Of(s *site.Site) Site { return stored{s} }

type stored struct{ *site.Site }

// Active implements Site.
func (s stored) Active() (site.Ref, error) { return s.ActiveRef() }

// Release implements Site.
func (s stored) Release(ref site.Ref) (*Release, error) {
	p, err := s.Patch(ref.Patch)
	if err != nil {
		return nil, err
	}
	r, err := s.ReleaseOf(ref)
	if err != nil {
		return nil, err
	}
	return &Release{
		ID: p.ID, Values: r.Values, Version: p.Header.Description.Flotobuild.Version, Manifest: r.Manifest,
		Images: p.Images(), Contents: r.Contents, Files: r.Files, Secrets: r.Secrets,
	}, nil
}

// Record implements Site.
func (s stored) Record(by, patch, from, detail string, failure error) error {
	e := site.Event{Action: ActionRedeploy, By: by, Patch: patch, From: from, Detail: detail}
	if failure != nil {
		e.Error = failure.Error()
	}
	return s.Site.Record(e)
}
