// Package deploy brings the containers of a site's active patch up on Docker
// engines, and the ones before back where that fails.
//
// What runs is compared with what the manifest wants: every container carries
// the site, its host, and a digest of its service as it was rendered for that
// host, as labels. A container whose digest is the wanted one stays as it is.
// The others are made by Compose, in waves: a container comes after those that
// it depends on have come up, on whatever host they are.
//
// # Folder
//
// What the package keeps is in the folder deploy/ of the site's store:
//
//	state.json             what runs on which host; what is under way
//	lock                   locked by the redeploy that is under way
//	hosts/HOST/            the Compose file of a host, as it was run last
//	mounts/DIGEST/NAME     files and folders of patches that containers see
//
// Mounts are named by their content: a changed file is another path, so that
// containers that see it are made anew, and the old file stays as long as one
// may go back to it. Engines on other machines get them in a folder of their own,
// see [RemoteFolder].
//
// # Promises
//
// Nothing is touched before all engines answered, all Compose files were
// checked, and all images are loaded. A redeploy that is killed is
// finished by the next: it compares anew. One that was killed on its way back is
// undone by the next. Only containers with the labels of this site and host are
// removed; volumes and networks never are.
package deploy
