#!/bin/sh
# Two releases of the plant for its two sites, as "make demo" shows them:
# demo.sh FLOTOBUILD ROOTFS CHECKOUT
#
# It works on a fresh copy under CHECKOUT/.cache/demo, a git repository of its
# own, and leaves the four patch files in CHECKOUT/dist.
set -eu
flotobuild=$1 rootfs=$2 checkout=$3
example=$(cd "$(dirname "$0")" && pwd)
plant=$checkout/.cache/demo/plant

say() { printf '\n==> %s\n' "$*"; }

commit() {
	git add --all
	git -c user.name=Demo -c user.email=demo@plant.example -c commit.gpgsign=false commit -qm "$1"
}

rm -rf "$checkout/.cache/demo" "$checkout"/dist/*.floto-patch.zip
mkdir -p "$plant/rootfs" "$checkout/dist"
(cd "$example" && tar -cf - --exclude=./demo.sh --exclude=./release-2 --exclude=./README.md .) | tar -xf - -C "$plant"
cp "$rootfs" "$plant/rootfs/base.tar"
cd "$plant"
git init -q
commit "Release 2.0.0"

say "Release 2.0.0: initial patches"
"$flotobuild" apply -auto-approve

say "Release 2.1.0: what changed"
cp -R "$example/release-2/." .
commit "Release 2.1.0"
git --no-pager show --stat --format=%s HEAD

say "Release 2.1.0: incremental patches"
"$flotobuild" apply -auto-approve

say "Applied again: nothing to do"
"$flotobuild" apply -auto-approve

say "The patches, verified"
for patch in dist/*.floto-patch.zip; do
	"$flotobuild" verify "$patch"
	cp "$patch" "$checkout/dist/"
done
cd "$checkout/dist"
ls -l ./*.floto-patch.zip
