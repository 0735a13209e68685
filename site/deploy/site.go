package deploy

import (
	"context"

	"github.com/flotobuild/flotobuild/site"
)

// ActionRedeploy is the action of events in a site's history.
const ActionRedeploy = "redeploy"

// Of gives a site's store as deployments see it.
func Of(s *site.Site) Site { return stored{s} }

type stored struct{ *site.Site }

// Release implements Site.
func (s stored) Release(id string) (*Release, error) {
	p, err := s.Patch(id)
	if err != nil {
		return nil, err
	}
	r, err := s.Site.Release(id)
	if err != nil {
		return nil, err
	}
	return &Release{
		ID: p.ID, Version: p.Header.Description.Flotobuild.Version, Manifest: r.Manifest,
		Images: p.Images(), Contents: r.Contents, Files: r.Files, Secrets: r.Secrets,
	}, nil
}

// Return implements Site.
func (s stored) Return(ctx context.Context, id, by string) error {
	if _, err := s.Rollback(ctx, id, by); err == nil {
		return nil
	}
	// It was deployed, and never active since.
	return s.Activate(ctx, id, by)
}

// Record implements Site.
func (s stored) Record(by, patch, from, detail string, failure error) error {
	e := site.Event{Action: ActionRedeploy, By: by, Patch: patch, From: from, Detail: detail}
	if failure != nil {
		e.Error = failure.Error()
	}
	return s.Site.Record(e)
}
