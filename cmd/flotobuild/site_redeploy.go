package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/site/deploy"
	"github.com/flotobuild/flotobuild/site/docker"
)

// redeployFlags are the flags of site redeploy.
type redeployFlags struct {
	hosts                             []string
	changed, dryRun, asJSON, noReturn bool
	timeout                           time.Duration
}

func newSiteRedeployCommand(a *app, f *siteFlags) *cobra.Command {
	var r redeployFlags
	cmd := &cobra.Command{
		Use:   "redeploy",
		Short: "Bring the containers of the active patch up",
		Long: "redeploy turns what runs on the site's Docker engines into what the active patch wants. It loads\n" +
			"what the engines lack of the images, touches only containers whose image or configuration has\n" +
			"changed, and waits until they have come up. Where one does not, the patch that ran before is\n" +
			"brought back and is active again, and the exit code is 1. A redeploy that was interrupted goes\n" +
			"on when it is started again. docs/redeploy.md says more.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.siteRedeploy(cmd.Context(), f, &r) },
	}
	cmd.Flags().StringArrayVar(&r.hosts, "host", nil, "redeploy this `HOST` of the manifest only; may stand several times")
	cmd.Flags().BoolVar(&r.changed, "changed", false, "leave alone what the patch has not changed, even where it does not run")
	cmd.Flags().BoolVar(&r.dryRun, "dry-run", false, "say what would be done, and do nothing")
	cmd.Flags().BoolVar(&r.noReturn, "no-rollback", false, "leave containers as they are where one does not come up")
	cmd.Flags().DurationVar(&r.timeout, "timeout", 0, "wait for each container to come up for this `TIME`, such as 90s; 0 is what its health test may take, and at least a minute")
	cmd.Flags().BoolVar(&r.asJSON, "json", false, "print the report as JSON")
	return cmd
}

func (a *app) siteRedeploy(ctx context.Context, f *siteFlags, r *redeployFlags) error {
	if r.timeout < 0 {
		return &hintError{errors.New("cannot wait for less than no time"), "write, for instance, -timeout=90s"}
	}
	s, err := f.open()
	if err != nil {
		return err
	}
	home, _ := os.UserHomeDir()
	d := deploy.New(deploy.Of(s), docker.Environment{Getenv: os.Getenv, Home: home}, os.Environ())
	w := &redeployWriter{app: a, meter: newMeter(a.ui, r.asJSON)}
	o := deploy.Options{
		Hosts: r.hosts, Changed: r.changed, Timeout: r.timeout, NoRollback: r.noReturn, By: operator(), Event: w.event,
	}
	if r.dryRun {
		report, err := d.Plan(ctx, o)
		if err != nil {
			return withRedeployHint(err)
		}
		return w.planned(report, r.asJSON)
	}
	a.interruptNote = ": the same command goes on, and site rollback with another redeploy goes back"
	report, err := d.Redeploy(ctx, o)
	w.meter.end()
	if err != nil {
		return withRedeployHint(err)
	}
	a.interruptNote = ""
	return w.done(report, r.asJSON)
}

// withRedeployHint adds to an error what an operator can do about it.
func withRedeployHint(err error) error {
	var host *deploy.UnknownHostError
	var busy *deploy.BusyError
	var foreign *deploy.ForeignError
	var compose *docker.NoComposeError
	var engine *docker.AbsentError
	var old *docker.OldComposeError
	switch {
	case errors.Is(err, deploy.ErrNotActive):
		return &hintError{err, "flotobuild site activate PATCH makes one active; flotobuild site list shows them"}
	case errors.As(err, &compose) && compose.Installed:
		return &hintError{err, "mend what the program says, or install another Compose: the package docker-compose in Debian, or the plugin docker-compose-plugin of the docker command"}
	case compose != nil:
		return &hintError{err, "install Docker Compose: the package docker-compose in Debian, or the plugin docker-compose-plugin of the docker command"}
	case errors.As(err, &old):
		return &hintError{err, "install Compose 2, the plugin docker-compose-plugin of the docker command: it is taken where both are there"}
	case errors.As(err, &engine):
		return &hintError{err, engineHint(engine)}
	case errors.As(err, &host):
		return &hintError{err, "its hosts are: " + strings.Join(host.Known, ", ")}
	case errors.As(err, &foreign):
		return &hintError{err, "a Compose project has the name of its root definition: sites that share an engine need different ones. Where that site is no more, remove the container"}
	case errors.As(err, &busy):
		return &hintError{err, "try again when that has ended"}
	}
	return withSiteHint(err)
}

// engineHint says what to do where no engine can be reached.
func engineHint(e *docker.AbsentError) string {
	switch {
	case e.Obstacle == docker.NoSocket:
		return "install Docker Engine, in Debian the package docker.io, and start it; one elsewhere is named by docker in the host's block, by DOCKER_HOST or by a Docker context"
	case e.Obstacle == docker.NotListening:
		return "start Docker Engine: systemctl start docker. Where it ends at once, journalctl -u docker says why"
	case e.Obstacle == docker.NotAllowed:
		return "do this as root, or as a user of the socket's group, which is usually docker: adduser " + cmp.Or(os.Getenv("USER"), "USER") + " docker, and sign in again"
	case strings.HasPrefix(e.Endpoint.Address, "ssh://"):
		return "this must work without a password: ssh " + e.Endpoint.Address + " docker version"
	case e.Endpoint.Local():
		return "restart Docker Engine: systemctl restart docker; journalctl -u docker says what it does"
	}
	return "see whether Docker Engine runs on that machine and listens there; with TLS, DOCKER_TLS_VERIFY=1 must be set, and DOCKER_CERT_PATH name the folder of the keys"
}
