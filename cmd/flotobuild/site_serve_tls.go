package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// A certificate is a pair of files, read again when one of them changes.
type certificate struct {
	cert, key string

	mu   sync.Mutex
	seen [2]time.Time // of the files that were read
	pair *tls.Certificate
}

// certificate reads the files that the flags name; nil where they name none.
func (v *serveSiteFlags) certificate() (*certificate, error) {
	if v.tlsCert == "" && v.tlsKey == "" {
		return nil, nil
	}
	if v.tlsCert == "" || v.tlsKey == "" {
		return nil, &hintError{errors.New("TLS needs a certificate and its private key"), "give both -tls-cert and -tls-key"}
	}
	c := &certificate{cert: v.tlsCert, key: v.tlsKey}
	_, err := c.current()
	return c, err
}

// current gives the certificate. Files that cannot be read, as while somebody
// replaces them, leave the one before.
func (c *certificate) current() (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen, err := c.times()
	if err == nil && c.pair != nil && seen == c.seen {
		return c.pair, nil
	}
	var pair tls.Certificate
	if err == nil {
		pair, err = tls.LoadX509KeyPair(c.cert, c.key)
	}
	if err != nil && c.pair == nil {
		return nil, fmt.Errorf("cannot read certificate %q with key %q: %w", c.cert, c.key, err)
	}
	if err == nil {
		c.pair, c.seen = &pair, seen
	}
	return c.pair, nil
}

func (c *certificate) times() (seen [2]time.Time, err error) {
	for n, name := range []string{c.cert, c.key} {
		info, err := os.Stat(name)
		if err != nil {
			return seen, err
		}
		seen[n] = info.ModTime()
	}
	return seen, nil
}

// names says whether the certificate is for a name.
func (c *certificate) names(name string) bool {
	pair, err := c.current()
	return err == nil && pair.Leaf != nil && pair.Leaf.VerifyHostname(name) == nil
}

// listen puts TLS on a listener. It offers HTTP/1.1 only: the server's time
// limits are those of connections.
func (c *certificate) listen(l net.Listener) net.Listener {
	return tls.NewListener(l, &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current() },
	})
}
