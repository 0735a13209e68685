// Package web is the page of a site for people, and its API for programs.
//
// Pages are made on the server. Scripts only do what HTML cannot: uploads that
// are resumed, and the log of what is under way. Everything that pages show and
// do stands also under /api/v1, as JSON; docs/site-server.md describes it.
//
// # Who may
//
// Package access knows tokens and roles. A browser signs in with a token and
// gets a cookie, which scripts cannot read and other sites cannot make it send;
// programs send the token itself. What changes the site is refused for requests
// that come from other sites' pages, and browsers have to prove in addition that
// they have seen a page of this server. Names of the server that nobody has
// given it are refused, since others could make them mean this machine.
//
// # What is done
//
// Imports, checks, activations, rollbacks and redeployments are tasks: one at a
// time in a server, and kept apart from other processes by the site's own lock.
// They belong to the server and not to the request, so that a browser may be
// closed meanwhile. When the server ends they are cancelled, and it waits for
// them.
package web
