// Package registry shows the images of a site's patches to container engines,
// as a read-only registry, and copies them to registries of others.
//
// # Names
//
// A repository is the name of an image. Engines take lower-case names only, so
// other characters are replaced; see [RepositoryName]. Its tags are the versions
// and the ids of the patches that require the image, "active" for the patch that
// is active, and every manifest is there by its digest. Where several patches
// have one version, the tag means the newest of them.
//
// # Protocol
//
// [Handler] speaks the pull part of the OCI distribution specification 1.1:
// manifests, blobs with ranges, tags, referrers (of which a patch carries none),
// and the catalog, which Docker's registries have beyond it. Everything that
// would change something is refused with 405. A repository gives out its own
// blobs only. Who may ask is for others to decide.
//
// Layers are sent as the store has them: clients compare digests. Manifests are
// compared before they are sent.
package registry
