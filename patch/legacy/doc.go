// Package legacy reads the patch files that floto itself wrote, and converts
// them.
//
// # Format
//
// The ZIP was streamed: sizes may stand behind the data, and folders may have
// entries. Beside VERSION.txt and conf/ (in which .git/ may be) there may be
// documents/. Image layers stand in Docker's layout of before version 1.10: a
// folder images/<id> for each, with VERSION, json and layer.tar, in which json
// names the layer below it as "parent". The description ends with imageMap:
// nothing lists the entries, and nothing has a digest. Ids of patches come in
// two forms, with ".site" or with "_name_site" at the end.
//
// # Trust
//
// Names, sizes and the places of the entries are checked before anything is
// read; content can be checked against the CRC-32 of the ZIP only.
package legacy
