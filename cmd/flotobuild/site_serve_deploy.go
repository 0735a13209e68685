package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/flotobuild/flotobuild/site"
	"github.com/flotobuild/flotobuild/site/deploy"
	"github.com/flotobuild/flotobuild/site/docker"
	"github.com/flotobuild/flotobuild/site/web"
)

// A pageDeployer redeploys for those who ask on the site's page.
type pageDeployer struct{ site *site.Site }

// Redeploy implements web.Deployer.
func (d pageDeployer) Redeploy(ctx context.Context, by string, to web.Listener) error {
	home, _ := os.UserHomeDir()
	deployment := deploy.New(deploy.Of(d.site), docker.Environment{Getenv: os.Getenv, Home: home}, os.Environ())
	report, err := deployment.Redeploy(ctx, deploy.Options{By: by, Event: func(e deploy.Event) { tellPage(to, e) }})
	if err != nil {
		return withRedeployHint(err)
	}
	if report.Failure == nil {
		to.Log(fmt.Sprintf("what runs is %s", report.Patch))
		return nil
	}
	for _, line := range report.Failure.Log {
		to.Log(fmt.Sprintf("%s: %s", report.Failure.Container, line))
	}
	switch {
	case report.BackFailure != "":
		return fmt.Errorf("%w; and what ran before did not come up either: %s", report.Failure, report.BackFailure)
	case report.Back == report.Patch:
		return fmt.Errorf("%w; it runs again with the values of before, and is active with them", report.Failure)
	case report.Back != "":
		return fmt.Errorf("%w; %s runs again, and is active", report.Failure, report.Back)
	}
	return report.Failure
}

// tellPage puts an event into words.
func tellPage(to web.Listener, e deploy.Event) {
	switch e.Kind {
	case deploy.Loading:
		to.Progress(web.Progress{What: e.Host + ": loading image " + e.Name, Done: e.Done, Total: e.Total})
	case deploy.Loaded:
		to.Log(fmt.Sprintf("%s: image %s is loaded, %s", e.Host, e.Name, byteSize(e.Total)))
		to.Progress(web.Progress{})
	case deploy.Removing:
		to.Log(fmt.Sprintf("%s: removing %s", e.Host, e.Name))
	case deploy.Bringing:
		to.Log(fmt.Sprintf("%s: bringing up %s", e.Host, e.Name))
	case deploy.Up:
		to.Log(fmt.Sprintf("%s: %s is up", e.Host, e.Name))
	case deploy.Failed:
		to.Log(fmt.Sprintf("%s: %s does not come up: %s", e.Host, e.Name, e.Text))
	case deploy.Returning:
		to.Log(strings.TrimSpace(fmt.Sprintf("going back to %s %s", e.Name, e.Text)))
	case deploy.Warning:
		to.Log(fmt.Sprintf("%s: %s: %s", e.Host, e.Name, e.Text))
	}
}
