package main

import "github.com/flotobuild/flotobuild/cmd/flotobuild/report"

// byteSize and count write as plans do.

func byteSize(n int64) string { return report.Bytes(n) }

func count(n int, noun string) string { return report.Count(n, noun) }
