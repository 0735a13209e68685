#!/bin/sh
# Checks what every target needs: git, and a Go that go.mod is satisfied with.
set -eu
cd "$(dirname "$0")/.."
go=${GO:-go}

fail() {
	echo "make: error: $1" >&2
	echo "make: hint: $2" >&2
	exit 1
}

command -v git >/dev/null || fail "git is not installed" "Debian: apt-get install git"
need=$(sed -n 's/^go //p' go.mod)
command -v "$go" >/dev/null || fail "\"$go\" is not installed" "install Go $need or newer, or name it: make GO=/path/to/go"
# Inside the module, go itself compares versions, and fetches a newer toolchain
# where it may.
if ! message=$("$go" env GOVERSION 2>&1); then
	fail "this Go cannot build flotobuild: $message" "install Go $need or newer, or name it: make GO=/path/to/go"
fi
