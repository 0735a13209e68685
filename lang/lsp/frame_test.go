package lsp

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

type closedBuffer struct{ bytes.Buffer }

func (*closedBuffer) Close() error { return nil }

func TestFramesComeBack(t *testing.T) {
	var b closedBuffer
	s := newStream(&b, &b)
	messages := []string{"{}", "", `{"a":"größe"}`, strings.Repeat("x", 100_000)}
	for _, m := range messages {
		if err := s.Send([]byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range messages {
		got, err := s.Recv()
		if err != nil || string(got) != want {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	if _, err := s.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("the end gives %v", err)
	}
}

func TestFrameHeaders(t *testing.T) {
	for src, want := range map[string]string{
		"content-length:2\r\nContent-Type: application/vscode-jsonrpc; charset=utf8\r\n\r\n{}": "{}",
		"Content-Length: 2\n\n{}":                      "{}",
		"Content-Length: 16777217\r\n\r\n":             "16777216 are allowed",
		"Content-Length: 99999999999999999999\r\n\r\n": "is no length",
		"Content-Length: x\r\n\r\n":                    "is no length",
		"X: 1\r\n\r\n":                                 "no Content-Length",
		strings.Repeat("a", 5000):                      "too long",
		"Content-Len":                                  "unexpected EOF",
		"Content-Length: 3\r\n\r\n{}":                  "ends after 2 of 3 bytes",
	} {
		got, err := newStream(strings.NewReader(src), &closedBuffer{}).Recv()
		if text := string(got); err != nil && !strings.Contains(err.Error(), want) || err == nil && text != want {
			t.Errorf("%.40q: got %q, %v; want %q", src, got, err, want)
		}
	}
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte("Content-Length: 2\r\n\r\n{}"))
	f.Add([]byte("Content-Length: 99999999999\r\n\r\n"))
	f.Add([]byte("Content-Type: x\r\ncontent-length:0\r\n\r\nContent-Length: 1\n\na"))
	f.Fuzz(func(t *testing.T, src []byte) {
		s := newStream(bytes.NewReader(src), &closedBuffer{})
		total := 0
		for {
			b, err := s.Recv()
			if err != nil {
				return
			}
			if total += len(b); total > len(src) {
				t.Fatal("more bytes come out than went in")
			}
		}
	})
}
