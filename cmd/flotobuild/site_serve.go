package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/patch/crypt"
	"github.com/flotobuild/flotobuild/site"
	"github.com/flotobuild/flotobuild/site/access"
	"github.com/flotobuild/flotobuild/site/web"
)

// serveSiteFlags are the flags of site serve.
type serveSiteFlags struct {
	listen          string
	tlsCert, tlsKey string
	tokens          string
	hosts           []string
	anonymousPull   bool
}

func newSiteServeCommand(a *app, f *siteFlags) *cobra.Command {
	var v serveSiteFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the site's page, its API, and its images as a registry",
		Long: "serve shows the site to browsers and programs, and its images to container engines, which pull\n" +
			"them as from any registry. Tokens say who may do what: site token makes them. Without a token\n" +
			"everybody on this machine may look and pull, and nobody may change anything. Other machines\n" +
			"are served only with TLS and with tokens. It logs JSON lines to stderr, and ends in order on\n" +
			"SIGTERM or SIGINT. docs/site-server.md says more.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.siteServe(cmd.Context(), f, &v) },
	}
	cmd.Flags().StringVar(&v.listen, "listen", "127.0.0.1:8088", "listen on this `ADDRESS`; other machines reach it only where you say so")
	cmd.Flags().StringVar(&v.tlsCert, "tls-cert", "", "`FILE` with the server's certificate and those between it and the root, in PEM; read again when it changes")
	cmd.Flags().StringVar(&v.tlsKey, "tls-key", "", "`FILE` with the certificate's private key, in PEM")
	registerTokens(cmd, &v.tokens)
	cmd.Flags().StringArrayVar(&v.hosts, "host", nil, "`NAME` that browsers know this server by, beyond localhost, addresses, and the names in the certificate; may stand several times")
	cmd.Flags().BoolVar(&v.anonymousPull, "anonymous-pull", false, "let everybody pull images, without a token")
	return cmd
}

func (a *app) siteServe(ctx context.Context, f *siteFlags, v *serveSiteFlags) error {
	s, err := f.open()
	if err != nil {
		return err
	}
	keys, err := a.serverKeys()
	if err != nil {
		return err
	}
	cert, err := v.certificate()
	if err != nil {
		return err
	}
	tokens := access.Open(tokensFile(s, v.tokens))
	some, err := tokens.Tokens()
	if err != nil {
		return err
	}
	l, err := v.open(cert != nil, len(some) > 0)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(a.ui.err, nil))
	options := web.Options{
		Site: s, Tokens: tokens, Anonymous: loopback(l.Addr()), AnonymousPull: v.anonymousPull, Keys: keys,
		Deployer: pageDeployer{s}, InUse: deployed(s),
		Hosts: v.hosts, Log: log, Version: version,
	}
	scheme := "http"
	if cert != nil {
		scheme, options.Secure, options.KnownHost = "https", true, cert.names
		l = cert.listen(l)
	}
	server, err := web.New(options)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	a.ui.logging.Store(true)
	if len(some) == 0 {
		log.Warn("there is no token: everybody on this machine may look, and nobody may change anything", "hint", "flotobuild site token add NAME -role operator")
	}
	log.Info("listening", "site", s.Name(), "address", l.Addr().String(), "url", scheme+"://"+l.Addr().String())
	err = server.Run(ctx, l)
	log.Info("stopped")
	return err
}

// serverKeys are what encrypted patches are opened with. Nobody sits at a
// server's terminal to type a passphrase.
func (a *app) serverKeys() (crypt.Keys, error) {
	o, err := a.opener()
	if os.Getenv(passphraseVariable) == "" {
		o.Keys.Passphrase = nil
	}
	return o.Keys, err
}

// open listens, and refuses to do so for other machines without TLS and tokens.
func (v *serveSiteFlags) open(secure, tokens bool) (net.Listener, error) {
	l, err := net.Listen("tcp", v.listen)
	if err != nil {
		return nil, &hintError{fmt.Errorf("cannot listen on %q: %w", v.listen, err), "-listen=127.0.0.1:0 takes any free port"}
	}
	switch {
	case loopback(l.Addr()):
		return l, nil
	case !secure:
		err = &hintError{
			fmt.Errorf("cannot serve other machines on %q without TLS: tokens could be read on the way", v.listen),
			"give a certificate with -tls-cert and -tls-key, or listen on 127.0.0.1 behind a server that has one",
		}
	case !tokens:
		err = &hintError{fmt.Errorf("cannot serve other machines on %q: there is no token, so that nobody could be let in", v.listen), "flotobuild site token add NAME -role operator"}
	default:
		return l, nil
	}
	return nil, errors.Join(err, l.Close())
}

// loopback says whether only this machine can reach an address.
func loopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// registerTokens adds the flag that names the file of tokens.
func registerTokens(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "tokens", "", "`FILE` of tokens (default tokens in the store)")
}

// tokensFile is where the tokens of a site are.
func tokensFile(s *site.Site, named string) string {
	if named != "" {
		return named
	}
	return filepath.Join(s.Dir(), "tokens")
}
