package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/site"
)

// Kinds of tasks.
const (
	kindImport   = "import"
	kindVerify   = "check"
	kindActivate = "activation"
	kindRollback = "rollback"
	kindRedeploy = "redeployment"
	kindCollect  = "clean-up"
)

// article is what stands before a kind.
func article(kind string) string {
	if kind == kindImport || kind == kindActivate {
		return "an"
	}
	return "a"
}

// describe opens the description of a patch.
func (s *Server) describe(id string) func(context.Context) (*patch.Description, error) {
	return func(context.Context) (*patch.Description, error) {
		p, err := s.patch(id)
		if err != nil {
			return nil, err
		}
		return p.Header.Description, nil
	}
}

// importFile begins the import of a file that has arrived. The file is removed
// when the patch is there.
func (s *Server) importFile(r *http.Request) (*task, error) {
	file, err := s.incoming.File(r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	by := who(r).Name
	return s.tasks.start(kindImport, file.Name, by, func(ctx context.Context, t *task) error {
		var phase site.Phase
		around := func(_ string, volumes []string) {
			t.logf("damaged, and read by parity: %s", strings.Join(volumes, ", "))
		}
		done, err := s.site.Import(ctx, site.Source{Path: file.Path, Keys: s.opts.Keys, OnDamage: around}, site.ImportOptions{By: by, Progress: func(p site.Progress) {
			if p.Phase != phase {
				phase = p.Phase
				t.logf("%s", phaseText[phase])
			}
			t.about(p.Patch)
			t.Progress(Progress{phaseText[p.Phase], p.Done, p.Total})
		}})
		if err != nil {
			return err
		}
		t.about(done.Record.ID)
		t.logf("%s", importText(done))
		return s.incoming.Discard(file)
	})
}

// phaseText says what an import does.
var phaseText = map[site.Phase]string{
	site.PhaseCheck:   "checking what the patch is and what it needs",
	site.PhaseCopy:    "copying blobs and checking them",
	site.PhaseWait:    "waiting for others that change the site",
	site.PhasePublish: "making the patch part of the site",
}

func importText(i *site.Imported) string {
	switch {
	case i.Repaired:
		return fmt.Sprintf("the site had %s, and lacked blobs of it: they are there again", i.Record.ID)
	case i.Signed:
		return fmt.Sprintf("the site has %s already: signatures that it did not have were taken", i.Record.ID)
	case i.Known:
		return fmt.Sprintf("the site has %s already: nothing was written", i.Record.ID)
	}
	return fmt.Sprintf("%s is there, with %s that the site did not have; it is not active", i.Record.ID, byteSize(i.Record.Added))
}

// activate begins the activation of a patch.
func (s *Server) activate(r *http.Request) (*task, error) {
	id, by := r.PathValue("id"), who(r).Name
	if _, err := s.patch(id); err != nil {
		return nil, err
	}
	return s.tasks.start(kindActivate, id, by, func(ctx context.Context, t *task) error {
		t.about(id)
		t.logf("looking whether every image of %s is complete", id)
		if err := s.site.Activate(ctx, id, by); err != nil {
			return err
		}
		t.logf("%s is active; the containers stay as they are until the site is redeployed", id)
		return nil
	})
}

// rollback begins the way back to a patch that was active before.
func (s *Server) rollback(r *http.Request) (*task, error) {
	id, by := r.PathValue("id"), who(r).Name
	if _, err := s.patch(id); err != nil {
		return nil, err
	}
	return s.tasks.start(kindRollback, id, by, func(ctx context.Context, t *task) error {
		t.about(id)
		t.logf("looking whether every image of %s is complete", id)
		if _, err := s.site.Rollback(ctx, id, by); err != nil {
			return err
		}
		t.logf("%s is active again; the containers stay as they are until the site is redeployed", id)
		return nil
	})
}

// errNoDeployer is the answer of servers that cannot redeploy.
var errNoDeployer = errors.New("this server does not redeploy: run flotobuild site redeploy")

// redeploy begins to bring the active patch's containers up.
func (s *Server) redeploy(r *http.Request) (*task, error) {
	if s.opts.Deployer == nil {
		return nil, errNoDeployer
	}
	id, ok, err := s.site.Active()
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, site.ErrNoActive
	}
	by := who(r).Name
	return s.tasks.start(kindRedeploy, id, by, func(ctx context.Context, t *task) error {
		t.about(id)
		return s.opts.Deployer.Redeploy(ctx, by, t)
	})
}

// verify begins to read all that a patch needs and holds, and to compare digests.
func (s *Server) verify(r *http.Request) (*task, error) {
	id, by := r.PathValue("id"), who(r).Name
	missing := (*site.MissingPatchError)(nil)
	if _, err := s.patch(id); errors.As(err, &missing) {
		return nil, err // any other error is what the check is for
	}
	return s.tasks.start(kindVerify, id, by, func(ctx context.Context, t *task) error {
		t.about(id)
		c, err := s.checkPatch(ctx, id, t)
		if c == nil {
			return err
		}
		e := site.Event{Time: time.Now(), Action: "verify", By: by, Patch: id, Detail: checkedText(c)}
		if err != nil {
			e.Error = s.hide(err.Error())
		}
		return errors.Join(err, s.site.Record(e))
	})
}
