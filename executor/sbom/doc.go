// Package sbom lists the software packages in an image.
//
// It reads the layers once, base first, and keeps the package databases of
// Debian (dpkg), Alpine (apk) and Red Hat (rpm) as the topmost layer has them, in
// a temporary folder: memory does not grow with the layers. Software without a
// package database is not found.
package sbom
