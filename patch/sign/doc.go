// Package sign makes and checks the signatures of patches and receipts: keys,
// signatures and trust policies.
//
// A signature covers the exact bytes of patch-description.json, which lists size
// and digest of everything else in the patch. The entry
// patch-description.json.sig holds a line of base64 for each signature, so that
// openssl alone can check it; docs/signing.md says how. Receipts are signed in the
// same way; package patch says which of their bytes.
//
// # Keys
//
// Keys are Ed25519, or ECDSA on the curve P-256 with SHA-256. Private keys are
// PKCS#8 in PEM, encrypted with PBES2 (PBKDF2 with HMAC-SHA-256, AES-256-CBC)
// where there is a passphrase; public keys are SubjectPublicKeyInfo in PEM.
// Those of OpenSSH are read, too. Signing the same bytes with the same key gives
// the same signature (RFC 8032, RFC 6979).
//
// A key is named by its fingerprint: the SHA-256 of its DER form, in hex.
//
// # Trust
//
// Signatures do not say whose they are. A [Policy] lists keys, and says which of
// them count for a site and how many are needed. What counts is the number of
// keys, not of signatures.
package sign
