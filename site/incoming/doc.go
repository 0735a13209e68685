// Package incoming is the folder where patch files arrive at a site before
// they are imported: by uploads that can be resumed, or because somebody has
// copied them there.
//
// An upload is two files with a dot in front: ".ID.upload" says what is to come,
// as JSON, and ".ID.part" is what has come so far. When all has come, the second
// one gets its real name, and the first is removed. So whatever has no dot in
// front is complete, as far as the sender knew; importing checks the content.
//
// A crash loses nothing that was acknowledged before the last flush to the disk,
// and an upload goes on at the size that its file has then.
package incoming
