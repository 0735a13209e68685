// Package crypt encrypts files for recipients and reads them in place.
//
// # Format
//
// Files are those of age-encryption.org/v1, so that the age tool reads what
// this package writes and the other way round: a header with the file key
// wrapped for each recipient, a nonce, and the payload in chunks of 64 KiB,
// each sealed on its own. A [Reader] decrypts the chunks that are asked for,
// and nothing decrypted reaches the disk. A [Writer] seals each chunk once,
// when its last byte is known. [Rewrap] gives a file other recipients without
// touching its payload.
//
// # Trust
//
// Every chunk that is read is authenticated, and so is the place where the
// file ends: a changed byte, a missing or doubled chunk, and a file cut off
// anywhere are errors. That a file can be decrypted does not say who made it,
// since everybody who knows a recipient can encrypt for it.
//
// # Compatibility
//
// X25519 and hybrid post-quantum recipients ("age1…", "age1pq1…"), SSH keys
// (Ed25519, RSA) and passphrases are known; plugins are not, since they run
// programs that a file names. Files in armor (PEM) are refused: they have no
// random access.
package crypt
