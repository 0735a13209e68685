package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

var (
	bindsFor  = flag.Duration("binds.for", time.Minute, "how long TestPlanBinds changes its project")
	bindsSeed = flag.Uint64("binds.seed", 0, "seed of TestPlanBinds; 0 for another one each time")
)

// TestPlanBinds changes a project at random and holds what apply writes to the
// saved plan: one made with a build in images, layers and bytes, one made
// without in what it calls unchanged.
func TestPlanBinds(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a minute")
	}
	seed := *bindsSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed: -binds.seed=%d", seed)
	b := newBinding(t, rand.New(rand.NewPCG(seed, 1)))
	tally, exact, patches, steps := make(map[string]int), 0, 0, 0
	for end := time.Now().Add(*bindsFor); time.Now().Before(end) || steps < 3; steps++ {
		var what []string
		for range 1 + b.rng.IntN(3) {
			w := b.change()
			what = append(what, w)
			tally[w]++
		}
		build := b.rng.IntN(2) == 0
		if build {
			exact++
		}
		n, err := b.step(build)
		if err != nil {
			t.Fatalf("step %d, %s, with a build: %v: %v", steps+1, strings.Join(what, ", "), build, err)
		}
		patches += n
	}
	t.Logf("%d steps, %d of them planned with a build, %d patches; changes: %v", steps, exact, patches, tally)
}

// step plans, applies the plan, and compares. It gives the number of patches.
func (b *binding) step(build bool) (int, error) {
	b.write()
	file := filepath.Join(b.home, "plan")
	args := []string{"plan", "-out", file}
	if build {
		args = append(args, "-build", "-progress=quiet")
	}
	if err := b.run(args...); err != nil {
		return 0, err
	}
	data, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	saved, err := planner.DecodeFile(data)
	data.Close()
	if err != nil {
		return 0, err
	}
	before, err := b.latest()
	if err != nil {
		return 0, err
	}
	if err := b.run("apply", "-progress=quiet", file); err != nil {
		return 0, err
	}
	after, err := b.latest()
	if err != nil {
		return 0, err
	}
	n := 0
	for _, s := range saved.Plan.Sites {
		was, is := before[s.Name], after[s.Name]
		if is == nil || was != nil && was.Path == is.Path {
			if s.Change != planner.ChangeNone && (build || !onlyImages(s)) {
				return n, fmt.Errorf("site %q: the plan says %s, and there is no patch", s.Name, s.Change)
			}
			continue
		}
		n++
		if err := holds(saved.Plan, s, was, is, build); err != nil {
			return n, fmt.Errorf("site %q: %w", s.Name, err)
		}
	}
	return n, nil
}

// onlyImages says that a plan without a build may turn out to need no patch.
func onlyImages(s *planner.SitePlan) bool {
	return len(s.Conf) == 0 && len(s.Manifest) == 0 && len(s.Attributes) == 0
}

// holds compares a patch with the plan that it was made by. was is its parent.
func holds(plan *planner.Plan, s *planner.SitePlan, was, is *patch.File, exact bool) error {
	if s.Change == planner.ChangeNone {
		return fmt.Errorf("the plan says that it needs no patch, and there is %q", is.Path)
	}
	if exact {
		if err := asPlanned(plan, is.Path); err != nil {
			return err
		}
	}
	changed := make(map[string]bool)
	for _, c := range s.Conf {
		changed[patch.ConfDir+c.Path] = true
	}
	if was == nil {
		return nil
	}
	old, now := was.Header.Description, is.Header.Description
	for _, c := range s.Images {
		if c.Change == planner.ChangeNone && old.ImageMap[c.Name] != now.ImageMap[c.Name] {
			return fmt.Errorf("image %q was to stay as it is, and became %s", c.Name, now.ImageMap[c.Name])
		}
	}
	contents := conf(old)
	for name, c := range conf(now) {
		if differs := contents[name] != c; differs != changed[name] {
			return fmt.Errorf("%s is another: %v; the plan says: %v", name, differs, changed[name])
		}
		delete(contents, name)
	}
	for name := range contents {
		if !changed[name] {
			return fmt.Errorf("%s is gone, and the plan does not say so", name)
		}
	}
	return nil
}

// conf gives the files of the project in a patch.
func conf(d *patch.Description) map[string]patch.Content {
	out := make(map[string]patch.Content)
	for _, c := range d.Flotobuild.Contents {
		if strings.HasPrefix(c.Path, patch.ConfDir) && c.Path != patch.GitDescribe && c.Path != patch.GitTimestamp {
			out[c.Path] = c
		}
	}
	return out
}

func (b *binding) latest() (map[string]*patch.File, error) {
	files, err := patch.List(filepath.Join(b.dir, "dist"))
	out := make(map[string]*patch.File)
	for _, s := range []string{"all", "some"} {
		out[s] = patch.Latest(files, s)
	}
	return out, err
}

func (b *binding) run(args ...string) error {
	cmd := exec.Command("flotobuild", args...)
	cmd.Dir = b.dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + b.home, "XDG_STATE_HOME=" + os.Getenv(stateVariable),
		"FLOTOBUILD_RUNC=" + surroundings(b.t, "FLOTOBUILD_TEST_RUNC"),
		"GIT_CEILING_DIRECTORIES=" + filepath.Dir(b.dir),
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", args, err, out)
	}
	return nil
}
