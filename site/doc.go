// Package site is the receiving side: the store of one site, and everything
// that happens to it.
//
// # Store
//
// A store is one folder:
//
//	site.json          name of the site, and its trust policy
//	oci-layout         with index.json and blobs/ an OCI image layout that holds
//	index.json         every image of every patch, complete, as IMAGE:PATCH
//	blobs/sha256/…
//	patches/ID/        what the patch of that id holds besides blobs, byte for
//	                   byte as it came, with import.json (what was verified, and
//	                   when) and blobs.txt (what it needs of blobs/)
//	vars.json          values that only the site knows, readable by its owner alone
//	compiled/NAME/     what the site has compiled with them: manifest/ and
//	                   documents/, for patches that are or were active
//	active             the active patch and those before it; one rename replaces it
//	history            who did what when, a line of JSON each
//	journal            what is under way; empty or absent when nothing is
//	staging/DIGEST/    an import that goes on, or can go on
//	lock               locked by whoever changes anything of the above
//
// # Promises
//
// A patch is listed when, and only when, patches/ID/import.json exists: it is
// written last and removed first. All that the patch needs is then there, has
// been checked against its digests, and is on the disk. A crash, a kill or a
// full disk leaves the old state or the new one; the next call that changes
// something cleans up what is neither.
//
// Imports write into their own staging folder, and hold the lock at their
// beginning and end only. So any number of imports, and an activation, may run
// at the same time. What an import relies on is not collected.
//
// Layers stand as the patch brought them. Their diff ids are checked at import,
// and blobs.txt records them: [Site.Layers] gives the blobs by diff id.
package site
