package main

import "time"

// Days on which the images of a pair were built.
var (
	firstBuild  = time.Date(2026, 3, 2, 9, 14, 0, 0, time.UTC)
	secondBuild = time.Date(2026, 6, 8, 15, 41, 0, 0, time.UTC)
)

// system is what every Debian image has.
var system = []string{
	"apt", "base-files", "base-passwd", "bash", "bsdutils", "ca-certificates", "coreutils", "dash", "debianutils", "diffutils", "dpkg", "findutils",
	"grep", "gzip", "hostname", "init-system-helpers", "libc-bin", "login", "mount", "ncurses-base", "ncurses-bin", "passwd", "perl-base",
	"sed", "sysvinit-utils", "tar", "tzdata", "util-linux",
}

// service is a web application's surroundings.
var service = append([]string{
	"apache2", "curl", "libapache2-mod-php8.2", "openssl", "php8.2-cli", "php8.2-curl", "php8.2-mbstring", "php8.2-mysql", "php8.2-xml",
	"perl", "python3", "python3-cryptography", "python3-lxml", "rsyslog",
}, system...)

// gateway is what a gateway between networks runs.
var gateway = append([]string{
	"bind9-dnsutils", "haproxy", "iproute2", "nftables", "openssh-client", "python3-yaml", "redis-server", "rsync", "sqlite3", "strace", "tcpdump",
}, system...)

// recorder is what stands beside an application.
var recorder = []string{
	"chrony", "jq", "mosquitto", "mosquitto-clients", "rsync", "socat", "sqlite3", //nolint:misspell // the server's name
}

// dashboard is an application for people.
var dashboard = map[string]string{
	"@apollo/server": "^4.11.0", "@aws-sdk/client-dynamodb": "^3.700.0", "@aws-sdk/client-s3": "^3.700.0", "@aws-sdk/client-sqs": "^3.700.0",
	"@nestjs/common": "^11.0.0", "@nestjs/core": "^11.0.0", "@nestjs/graphql": "^13.0.0", "@nestjs/platform-express": "^11.0.0",
	"@opentelemetry/auto-instrumentations-node": ">=0.55.0 <1", "@opentelemetry/sdk-node": ">=0.57.0 <1", "axios": "^1.7.0", "core-js": "^3.39.0",
	"date-fns": "^4.0.0", "exceljs": "^4.4.0", "graphql": "^16.9.0", "ioredis": "^5.4.0", "lodash": "^4.17.0", "luxon": "^3.5.0", "mongodb": "^6.10.0",
	"pdfkit": "^0.17.0", "pg": "^8.13.0", "reflect-metadata": "^0.2.0", "rxjs": "^7.8.0", "typeorm": "^0.3.20", "typescript": "^5.7.0",
	"winston": "^3.17.0", "zod": "^3.24.0",
}

// line is an application for machines.
var line = map[string]string{
	"aedes": "^0.51.0", "ajv": "^8.17.0", "bullmq": "^5.30.0", "express": "^4.21.0", "fastify": "^5.1.0", "influx": "^5.9.0", "knex": "^3.1.0",
	"modbus-serial": "^8.0.0", "mongoose": "^8.8.0", "mqtt": "^5.10.0", "node-opcua-client": "^2.140.0", "pino": "^9.5.0", "protobufjs": "^7.4.0",
	"socket.io": "^4.8.0", "undici": "^7.0.0", "ws": "^8.18.0",
}

var (
	stable   = []string{"bookworm"}
	updated  = []string{"bookworm", "bookworm-security"}
	next     = []string{"trixie"}
	rtKernel = kernel{
		Suites:  updated,
		Pattern: `^linux-image-6\.1\.0-([0-9]+)-rt-amd64$`,
		Pinned:  [2]string{"linux-image-6.1.0-54-rt-amd64", "linux-image-6.1.0-55-rt-amd64"},
	}
	rtKernelNewer = kernel{Suites: rtKernel.Suites, Pattern: rtKernel.Pattern, Pinned: rtKernel.Pinned, Newer: true}
)

// pairs are the kinds of updates that devices at a site get.
var pairs = []pair{
	{
		Name: "a", Title: "Debian web service, security updates",
		Old: []recipe{{firstBuild, []part{packages{Suites: stable, Names: service}}}},
		New: []recipe{{secondBuild, []part{packages{Suites: updated, Names: service}}}},
	},
	{
		Name: "b", Title: "static Go service, patch release",
		Old: []recipe{{firstBuild, []part{goBinary{"github.com/caddyserver/caddy/v2/cmd/caddy", "v2.11.8", true, "usr/bin/caddy"}}}},
		New: []recipe{{secondBuild, []part{goBinary{"github.com/caddyserver/caddy/v2/cmd/caddy", "v2.11.9", true, "usr/bin/caddy"}}}},
	},
	{
		Name: "c", Title: "Node application, minor updates",
		Old: []recipe{{firstBuild, []part{nodeModules{"dashboard", "2.3.0", "2026-04-01", dashboard, "srv/dashboard"}}}},
		New: []recipe{{secondBuild, []part{nodeModules{"dashboard", "2.4.0", "2026-07-01", dashboard, "srv/dashboard"}}}},
	},
	{
		Name: "d", Title: "Debian gateway, distribution jump",
		Old: []recipe{{firstBuild, []part{packages{Suites: stable, Names: gateway}}}},
		New: []recipe{{secondBuild, []part{packages{Suites: next, Names: gateway}}}},
	},
	{
		Name: "f", Title: "real-time kernel and modules, point release",
		Old: []recipe{{firstBuild, []part{rtKernel}}},
		New: []recipe{{secondBuild, []part{rtKernelNewer}}},
	},
	{
		Name: "g", Title: "four old layers, three new: one shared, application renamed, server moved",
		Old: []recipe{
			{firstBuild, []part{packages{Suites: stable, Names: system}}},
			{firstBuild, []part{goBinary{"github.com/nats-io/nats-server/v2", "v2.15.1", false, "usr/local/bin/nats-server"}}},
			{firstBuild, []part{nodeModules{"line", "1.8.0", "2026-03-01", line, "srv/line-1.8.0"}}},
			{firstBuild, []part{packages{Suites: stable, Names: recorder, Beneath: system}}},
		},
		New: []recipe{
			{firstBuild, []part{packages{Suites: stable, Names: system}}},
			{secondBuild, []part{packages{Suites: updated, Names: recorder, Beneath: system}, goBinary{"github.com/nats-io/nats-server/v2", "v2.15.2", false, "opt/bus/bin/nats-server"}}},
			{secondBuild, []part{nodeModules{"line", "1.9.0", "2026-06-01", line, "opt/line-control/1.9.0"}}},
		},
	},
}
