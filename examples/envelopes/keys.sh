#!/bin/sh
# Makes keys and certificates to try the example with. Real devices have their own:
# take their certificates from them, and the controller's from its administrator.
set -eu
cd "$(dirname "$0")"
mkdir -p certs
umask 077
for name in controller press-1 press-2 press-3; do
	openssl ecparam -name prime256v1 -genkey -noout -out "certs/$name.key"
	openssl req -new -x509 -key "certs/$name.key" -subj "/CN=$name" -days 3650 -out "certs/$name.pem"
done
