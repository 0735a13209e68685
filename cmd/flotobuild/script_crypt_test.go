package main

import (
	"os"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/crypt"
)

// cmdIdentity makes a private key, and sets a variable to its public one.
func cmdIdentity(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "identity FILE VARIABLE")
	id, err := age.GenerateX25519Identity()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte("# a key\n"+id.String()+"\n"), 0o600))
	ts.Setenv(args[1], id.Recipient().String())
}

// scriptOpener opens patches with the key that the script's environment names.
func scriptOpener(ts *testscript.TestScript) patch.Opener {
	name := ts.Getenv(identityFileVariable)
	if name == "" {
		return patch.Opener{}
	}
	ids, err := crypt.ParseIdentities(name, []byte(ts.ReadFile(name)), nil)
	ts.Check(err)
	return patch.Opener{Keys: crypt.Keys{Identities: ids}}
}
