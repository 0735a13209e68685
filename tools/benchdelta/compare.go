package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// A result is what one method made of one pair.
type result struct {
	Method  string
	Skipped string // why it did not run, or empty
	Size    int64
	Made    int64 // bytes that applying writes
	Create  cost
	Apply   cost
}

// A row is a pair's results.
type row struct {
	Pair    string
	Title   string
	Base    int64 // bytes of all old layers
	New     int64 // bytes of the new layers that are not among the old ones
	Results []result
}

// resultsFile keeps a pair's results beside its layers.
const resultsFile = "results.json"

// earlier reads what other tools made of a pair in an earlier run.
func earlier(file string, r *row) error {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(data, r)
	}
	if err != nil {
		return fmt.Errorf("cannot read earlier results: %w", err)
	}
	r.Results = slices.DeleteFunc(r.Results, func(o result) bool { return o.Method == ours || o.Skipped != "" })
	return nil
}

// compare runs the methods on a pair. With reuse, other tools do not run again.
func compare(ctx context.Context, dir string, p pair, methods []method, reuse bool) (row, error) {
	r := row{Pair: p.Name, Title: p.Title}
	kept := filepath.Join(dir, resultsFile)
	if reuse {
		if err := earlier(kept, &r); err != nil {
			return row{}, err
		}
	}
	scratch, err := os.MkdirTemp(dir, ".compare-")
	if err != nil {
		return row{}, err
	}
	defer os.RemoveAll(scratch)
	f, err := joinLayers(dir, scratch)
	if err != nil {
		return row{}, err
	}
	f.scratch = scratch
	f.update, f.back = f.temp("update"), f.temp("back")
	if r.Base, err = size(f.old); err != nil {
		return row{}, err
	}
	if r.New, err = size(f.new); err != nil {
		return row{}, err
	}
	f.oldSize = r.Base
	for _, m := range methods {
		if slices.ContainsFunc(r.Results, func(o result) bool { return o.Method == m.name }) {
			continue
		}
		one, err := m.run(ctx, f)
		if err != nil {
			return row{}, err
		}
		r.Results = append(r.Results, one)
		fmt.Printf("%s\t%-30s\t%10d bytes\tcreate %.1f s, %d MB\tapply %.1f s, %d MB %s\n", p.Name, m.name, one.Size,
			one.Create.CPU.Seconds(), one.Create.Memory>>20, one.Apply.CPU.Seconds(), one.Apply.Memory>>20, one.Skipped)
		if err := keep(kept, r); err != nil {
			return row{}, err
		}
	}
	return r, nil
}

func keep(file string, r row) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o644)
}

// run makes an update, applies it, and compares.
func (m method) run(ctx context.Context, f files) (result, error) {
	r := result{Method: m.name}
	if m.limit > 0 && f.oldSize > m.limit {
		r.Skipped = fmt.Sprintf("not run on bases of more than %d MiB", m.limit>>20)
		return r, nil
	}
	var err error
	if r.Create, err = measure(ctx, m.create(f)); err != nil {
		return r, err
	}
	if r.Size, err = size(f.update); err != nil {
		return r, err
	}
	if r.Apply, err = measure(ctx, m.apply(f)); err != nil {
		return r, err
	}
	same := m.same
	if same == nil {
		same = func(f files) error { return sameFiles(f.new, f.back) }
	}
	if err := same(f); err != nil {
		return r, fmt.Errorf("cannot count %s: %w", m.name, err)
	}
	if r.Made, err = sizeBelow(f.back); err != nil {
		return r, err
	}
	return r, errors.Join(os.RemoveAll(f.back), os.Remove(f.update))
}

// joinLayers gives the tools that know one file only all old layers in one,
// and all new layers that are not among the old ones in another.
func joinLayers(dir, scratch string) (files, error) {
	old, err := filepath.Glob(filepath.Join(dir, "old-*.tar"))
	if err != nil {
		return files{}, err
	}
	all, err := filepath.Glob(filepath.Join(dir, "new-*.tar"))
	if err != nil {
		return files{}, err
	}
	var lacking []string
	for _, n := range all {
		if !slices.ContainsFunc(old, func(o string) bool { return sameFiles(o, n) == nil }) {
			lacking = append(lacking, n)
		}
	}
	f := files{old: filepath.Join(scratch, "old"), new: filepath.Join(scratch, "new")}
	f.oldImage, f.newImage = filepath.Join(scratch, "old-image"), filepath.Join(scratch, "new-image")
	if _, err := writeImage(f.oldImage, old); err != nil {
		return files{}, err
	}
	if f.blobs, err = writeImage(f.newImage, all); err != nil {
		return files{}, err
	}
	if err := concatenate(f.old, old); err != nil {
		return files{}, err
	}
	return f, concatenate(f.new, lacking)
}

func concatenate(target string, parts []string) error {
	w, err := os.Create(target)
	if err != nil {
		return err
	}
	defer w.Close()
	for _, part := range parts {
		r, err := os.Open(part)
		if err != nil {
			return err
		}
		_, err = io.Copy(w, r)
		_ = r.Close()
		if err != nil {
			return err
		}
	}
	return w.Close()
}

func size(file string) (int64, error) {
	info, err := os.Stat(file)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// sizeBelow is the size of a file, or of all files in a folder.
func sizeBelow(name string) (int64, error) {
	var total int64
	err := filepath.WalkDir(name, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		n, err := size(file)
		total += n
		return err
	})
	return total, err
}

// sameFiles fails unless two files have the same bytes.
func sameFiles(a, b string) error {
	first, err := os.Open(a)
	if err != nil {
		return err
	}
	defer first.Close()
	second, err := os.Open(b)
	if err != nil {
		return err
	}
	defer second.Close()
	var one, two [1 << 16]byte
	for {
		n, errOne := io.ReadFull(first, one[:])
		m, errTwo := io.ReadFull(second, two[:])
		if !bytes.Equal(one[:n], two[:m]) {
			return fmt.Errorf("%q and %q differ", a, b)
		}
		if errOne != nil || errTwo != nil {
			return nil
		}
	}
}
