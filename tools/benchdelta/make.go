package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// sourcesFile names in a pair's folder what its layers were made from. It is
// written last: a pair that has it is complete.
const sourcesFile = "sources.txt"

// makePair writes the layers of a pair unless they are there, and says what
// they were made from.
func makePair(ctx context.Context, w *workshop, dir string, p pair) error {
	if said, err := os.ReadFile(filepath.Join(dir, sourcesFile)); err == nil {
		fmt.Printf("%s", said)
		return nil
	}
	if err := w.findArchive(ctx); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var sources strings.Builder
	fmt.Fprintf(&sources, "%s: %s\n", p.Name, p.Title)
	for _, side := range []struct {
		name    string
		recipes []recipe
	}{{"old", p.Old}, {"new", p.New}} {
		for i, r := range side.recipes {
			name := fmt.Sprintf("%s-%d.tar", side.name, i+1)
			said, err := makeLayer(ctx, w, filepath.Join(dir, name), r)
			if err != nil {
				return err
			}
			fmt.Fprintf(&sources, "  %s: %s\n", name, said)
		}
	}
	fmt.Print(sources.String())
	return os.WriteFile(filepath.Join(dir, sourcesFile), []byte(sources.String()), 0o644)
}

// makeLayer writes one layer, and returns what it was made from.
func makeLayer(ctx context.Context, w *workshop, file string, r recipe) (string, error) {
	l, err := newLayer(r.built)
	if err != nil {
		return "", err
	}
	defer l.close()
	var said []string
	for _, p := range r.parts {
		one, err := p.add(ctx, w, l)
		if err != nil {
			return "", err
		}
		said = append(said, one)
	}
	f, err := os.Create(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if err := l.write(f); err != nil {
		return "", fmt.Errorf("cannot write %q: %w", file, err)
	}
	return strings.Join(said, "; "), f.Close()
}
