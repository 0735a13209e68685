package site_test

import (
	"context"
	"fmt"

	"github.com/flotobuild/flotobuild/site"
)

// A patch that has arrived becomes the active one.
func Example() {
	receive := func(ctx context.Context, store, file string) error {
		s, err := site.Open(store)
		if err != nil {
			return err
		}
		i, err := s.Import(ctx, site.Source{Path: file}, site.ImportOptions{By: "operator"})
		if err != nil {
			return err
		}
		return s.Activate(ctx, i.Record.ID, "operator")
	}
	fmt.Println(receive(context.Background(), "nowhere", "patch.zip"))
	// Output: cannot open site "nowhere": it is no store of a site
}
