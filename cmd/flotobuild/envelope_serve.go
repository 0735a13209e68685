package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/envelope/metadata"
	"github.com/flotobuild/flotobuild/internal/regular"
)

// serveFlags are the flags of envelope serve.
type serveFlags struct {
	openFlags
	listen, baseURL   string
	apps, volumeFiles []string
	appsFile, volumes string
}

func newEnvelopeServeCommand(a *app) *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve FILE...",
		Short: "Serve envelopes to applications as a device does",
		Long: "serve is the part of a device's metadata server that is about patch envelopes, for tests of\n" +
			"applications. It knows an application by its source address. Envelopes load again when their\n" +
			"files change, and volumes appear when their files arrive. It logs JSON lines to stderr, and ends\n" +
			"in order on SIGTERM or SIGINT.",
		Args: envelopeFiles,
		RunE: func(cmd *cobra.Command, args []string) error { return a.serveEnvelopes(cmd.Context(), &f, args) },
	}
	f.register(cmd)
	cmd.Flags().StringVar(&f.listen, "listen", "127.0.0.1:8087", "listen on this `ADDRESS`; other machines reach it only where you say so")
	cmd.Flags().StringVar(&f.baseURL, "base-url", metadata.DeviceURL, "what the `URL`s in descriptions start with")
	cmd.Flags().StringArrayVar(&f.apps, "app-at", nil, "application at a source address (`ADDRESS=UUID`); 10.1.0.0/24=UUID for many; may stand several times")
	cmd.Flags().StringVar(&f.appsFile, "apps", "", "`FILE` with a source address and the UUID of an application in each line")
	cmd.Flags().StringVar(&f.volumes, "volumes", "", "folder of volumes, as files that are named by their UUIDs (`DIR`)")
	cmd.Flags().StringArrayVar(&f.volumeFiles, "volume-file", nil, "file of a volume elsewhere (`UUID=FILE`); may stand several times")
	return cmd
}

func (a *app) serveEnvelopes(ctx context.Context, f *serveFlags, files []string) error {
	apps, err := f.appMap()
	if err != nil {
		return err
	}
	if u, err := url.Parse(f.baseURL); err != nil || u.Host == "" {
		return fmt.Errorf("-base-url=%q is no URL such as %s", f.baseURL, metadata.DeviceURL)
	}
	volumes, err := f.volumeMap()
	if err != nil {
		return err
	}
	open, err := f.opener(a)
	if err != nil {
		return err
	}
	loader := metadata.NewLoader(metadata.Files{
		Envelopes: files, Contexts: f.contexts, Open: open, VolumeDir: f.volumes, VolumeFiles: volumes,
	})
	log := slog.New(slog.NewJSONHandler(a.ui.err, nil))
	server := metadata.NewServer(metadata.Options{Apps: apps, BaseURL: f.baseURL, Log: log})
	state, warnings, err := loader.Load(ctx)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", f.listen)
	if err != nil {
		return &hintError{fmt.Errorf("cannot listen on %q: %w", f.listen, err), "-listen=127.0.0.1:0 takes any free port"}
	}
	a.ui.logging.Store(true)
	for _, w := range warnings {
		log.Warn("not shown", "error", w.Error())
	}
	server.Show(state)
	warnAboutListener(log, l.Addr())
	log.Info("listening", "address", l.Addr().String(), "url", "http://"+l.Addr().String())
	err = server.Run(ctx, l, loader)
	log.Info("stopped", "usage", server.Usage())
	return err
}

// warnAboutListener tells that a source address is no proof of who asks.
func warnAboutListener(log *slog.Logger, addr net.Addr) {
	if tcp, ok := addr.(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		log.Warn("other machines can reach the server, and a source address is all that it knows them by", "address", addr.String())
	}
}

func (f *serveFlags) appMap() (metadata.Apps, error) {
	apps := make(metadata.Apps)
	if f.appsFile != "" {
		file, _, err := regular.Open(f.appsFile)
		if err != nil {
			return nil, fmt.Errorf("cannot read %q: %w", f.appsFile, err)
		}
		defer file.Close()
		if err := apps.Read(file); err != nil {
			return nil, fmt.Errorf("cannot read %q: %w", f.appsFile, err)
		}
	}
	for _, text := range f.apps {
		address, app, _ := strings.Cut(text, "=")
		if err := apps.Add(address, app); err != nil {
			return nil, fmt.Errorf("-app-at: %w", err)
		}
	}
	if len(apps) == 0 {
		return nil, &hintError{errors.New("no application is mapped to an address, so that the server would show nothing"), "say which application asks from where: -app-at=127.0.0.1=UUID"}
	}
	return apps, nil
}

func (f *serveFlags) volumeMap() (map[string]string, error) {
	out := make(map[string]string)
	for _, text := range f.volumeFiles {
		id, path, _ := strings.Cut(text, "=")
		parsed, err := uuid.Parse(id)
		if err != nil || path == "" {
			return nil, fmt.Errorf("-volume-file=%q is not of the form UUID=FILE", text)
		}
		out[parsed.String()] = path
	}
	return out, nil
}
