// Package envelope builds, opens and checks patch envelopes of EVE-OS.
//
// A patch envelope changes data inside a running application without a new
// image: it carries blobs, either inline or as references to volumes, which the
// device's metadata server hands to the applications that may see them. Blobs
// and their metadata can be encrypted for one device.
//
// A [Definition] says what an envelope holds, [CheckDefinitions] whether a
// device would take it, and a [Sealer] makes the messages. An [Opener] reads
// them again, and [Check] judges files of any maker. [Merge] puts envelopes into
// the configuration of a device.
//
// # Cryptography
//
// Controller and device agree on a key by ECDH on P-256: SHA-256 over both
// coordinates of the common point, 32 bytes each. A block is encrypted with
// AES-256-CFB under 16 random bytes, new for every block. Devices keep blobs by
// the first 16 bytes of the cipher text, so that a repeated initial value would
// make blobs overwrite each other; there is no way to choose it. CFB proves
// nothing about its content: what has not the SHA-256 of its clear text is
// refused, and no byte of it is handed out.
//
// The arithmetic around the key agreement is not constant in time. It is made
// for the machine that builds envelopes and for test devices with keys in files.
package envelope
