# flotobuild's own build. "make help" lists the targets.

GO       ?= go
FUZZTIME ?= 20s
# Arguments for go test, such as TESTFLAGS='-run TestScripts -v'.
TESTFLAGS ?=
# Arguments for benchdelta, such as BENCHFLAGS='-keep -only a,b'.
BENCHFLAGS ?=

# Everything but runc is pure Go. One setting for build, tests and linters also
# means that BuildKit is compiled once.
export CGO_ENABLED := 0

BIN    := $(CURDIR)/bin
CACHE  := $(CURDIR)/.cache
ROOTFS := $(CACHE)/rootfs.tar
LINT   := $(CACHE)/bin/golangci-lint
VULN   := $(CACHE)/bin/govulncheck

# What the tests find their surroundings by.
test_env = FLOTOBUILD_TEST_ROOTFS='$(ROOTFS)' FLOTOBUILD_TEST_RUNC="$$(GO='$(GO)' tools/runc.sh)"
# Scripts of real builds outlast go test's own limit on a slow machine.
go_test = $(test_env) $(GO) test -timeout 40m $(TESTFLAGS)
# Folders below the root module whose tests match the pattern $(1).
test_dirs = $$(grep -rl --include='*_test.go' --exclude-dir=tools --exclude-dir='.?*' -e $(1) . | xargs -r -n1 dirname | sort -u)

.PHONY: build
build: flotobuild runc ## bin/flotobuild, and bin/runc where the machine has none

.PHONY: flotobuild
flotobuild: prerequisites
	$(GO) build -ldflags='-s -w' -o '$(BIN)/flotobuild' ./cmd/flotobuild

.PHONY: runc
runc: prerequisites ## the container runtime that RUN steps need: the machine's, else bin/runc
	@GO='$(GO)' tools/runc.sh >/dev/null

.PHONY: rootfs
rootfs: prerequisites ## .cache/rootfs.tar, the base image of tests and examples
	@mkdir -p '$(CACHE)'
	@$(GO) -C tools run ./rootfs '$(ROOTFS)'

.PHONY: demo
demo: build rootfs ## two releases of examples/plant for two sites; patches end up in dist/
	@examples/plant/demo.sh '$(BIN)/flotobuild' '$(ROOTFS)' '$(CURDIR)'

.PHONY: test
test: runc rootfs ## all tests, scripts on the real engine included
	$(go_test) ./...
	$(GO) -C tools test ./shell ./rootfs ./benchdelta

.PHONY: golden
golden: runc rootfs ## rewrite the tests' golden files; read the diff before you commit it
	$(go_test) $(call test_dirs,'Bool."update"') -update

.PHONY: generate
generate: prerequisites ## Go code of the messages in envelope/evepb
	$(GO) -C tools run ./protogen '$(CURDIR)/envelope/evepb/eve.proto'

.PHONY: bench
bench: runc rootfs ## all benchmarks
	$(go_test) -run '^$$' -bench . -benchmem ./...

.PHONY: bench-delta
bench-delta: flotobuild ## deltas compared with other tools, on images made from packages: an hour; prints tables
	@mkdir -p '$(CACHE)/bench-delta'
	@$(GO) -C tools build -o '$(CACHE)/bin/benchdelta' ./benchdelta
	@'$(CACHE)/bin/benchdelta' -cache '$(CACHE)/bench-delta' -program '$(BIN)/flotobuild' $(BENCHFLAGS) '$(CACHE)/bench-delta/tables.md'
	@cat '$(CACHE)/bench-delta/tables.md'

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME each
	@grep -rHo --include='*_test.go' --exclude-dir=tools --exclude-dir='.?*' '^func Fuzz[A-Za-z0-9_]*' . | sort | \
	while IFS=: read -r file func; do \
		echo "== $${func#func } ($${file%/*})"; \
		$(GO) test -run '^$$' -fuzz "^$${func#func }\$$" -fuzztime '$(FUZZTIME)' -fuzzminimizetime 1x "$${file%/*}" </dev/null || exit 1; \
	done

.PHONY: check
check: prerequisites $(LINT) $(VULN) ## the gate: format, lint, vet, module files, known vulnerabilities
	$(LINT) fmt --diff ./...
	$(LINT) run ./...
	cd tools && $(LINT) run --config ../.golangci.yml ./shell ./rootfs ./sh ./protogen ./benchdelta
	$(GO) vet ./...
	$(GO) mod verify
	$(GO) mod tidy -diff
	$(GO) -C tools mod tidy -diff
	@GO='$(GO)' tools/vuln.sh '$(VULN)' ./...

$(LINT): tools/lint/go.mod
	$(GO) -C tools/lint build -o '$@' github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(VULN): tools/lint/go.mod
	$(GO) -C tools/lint build -o '$@' golang.org/x/vuln/cmd/govulncheck

.PHONY: prerequisites
prerequisites:
	@GO='$(GO)' tools/prerequisites.sh

.PHONY: clean
clean: ## remove everything that make made, except the engine's state
	rm -rf '$(BIN)' '$(CACHE)' dist

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | sort | while IFS="$$(printf '\t')" read -r target text; do \
		printf '  %-10s %s\n' "$$target" "$$text"; \
	done
