#!/bin/sh
# Prints the container runtime that RUN steps use, and builds bin/runc first
# where the machine has none: FLOTOBUILD_RUNC, runc or crun from PATH, bin/runc.
# On other systems than Linux there is no engine to need one.
set -eu
cd "$(dirname "$0")/.."
root=$(pwd)
go=${GO:-go}

# BuildKit's steps carry a seccomp profile, so a runtime without it fails each.
usable() {
	version=$("$1" --version 2>/dev/null) || return 1
	case $version in *libseccomp* | *+SECCOMP*) return 0 ;; esac
	return 1
}

fail() {
	echo "make: error: cannot build runc: $1" >&2
	echo "make: hint: Debian: apt-get install $2; or install runc itself: apt-get install runc" >&2
	exit 1
}

if [ -n "${FLOTOBUILD_RUNC:-}" ]; then
	usable "$FLOTOBUILD_RUNC" || {
		echo "make: error: FLOTOBUILD_RUNC names \"$FLOTOBUILD_RUNC\", which does not run or lacks seccomp" >&2
		exit 1
	}
	command -v "$FLOTOBUILD_RUNC"
	exit
fi
[ "$("$go" env GOHOSTOS)" = linux ] || exit 0
for name in runc crun; do
	if path=$(command -v "$name") && usable "$path"; then
		echo "$path"
		exit
	fi
done
if [ bin/runc -nt tools/go.mod ]; then
	echo "$root/bin/runc"
	exit
fi

cc=$("$go" env CC)
command -v "${cc%% *}" >/dev/null || fail "the C compiler \"$cc\" is not installed" gcc
command -v pkg-config >/dev/null || fail "pkg-config is not installed" pkg-config
pkg-config --exists libseccomp || fail "libseccomp's headers are not installed" libseccomp-dev
try=$(mktemp -d)
trap 'rm -rf "$try"' EXIT
printf '#include <seccomp.h>\nint main(void) { return seccomp_api_get() == 0; }\n' >"$try/try.c"
# shellcheck disable=SC2046,SC2086 # both hold several words
$cc -static -o "$try/try" "$try/try.c" $(pkg-config --cflags --static --libs libseccomp) 2>"$try/log" || {
	cat "$try/log" >&2
	fail "libseccomp does not link statically" "libc6-dev libseccomp-dev"
}
echo "building runc: the machine has no runc or crun with seccomp" >&2
mkdir -p bin
CGO_ENABLED=1 "$go" -C tools build -trimpath -buildvcs=false -tags 'netgo osusergo seccomp' \
	-ldflags '-extldflags -static -s -w' -o "$root/bin/runc" github.com/opencontainers/runc >&2
touch bin/runc
echo "$root/bin/runc"
