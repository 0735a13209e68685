package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

var (
	killMoments = flag.Int("kill.moments", 30, "moments at which TestKillApply ends an apply")
	killSeed    = flag.Uint64("kill.seed", 0, "seed of TestKillApply; 0 for another one each time")
)

// TestKillApply ends applies at random moments: by an interrupt, by a kill, with
// and without the engine. Each time no half-written patch is to be seen, the
// next apply succeeds with the same content as one that nobody disturbed, and
// nothing stays behind.
func TestKillApply(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes minutes")
	}
	seed := *killSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed: -kill.seed=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	calm, wild := newVictim(t, "calm"), newVictim(t, "wild")
	calm.change(0)
	calm.succeed()
	took := calm.took
	wild.take(calm)
	wild.succeed()
	wild.same(calm)
	tally := make(map[string]int)
	for n := range *killMoments {
		k := randomKill(rng, n, took)
		calm.change(rng.Uint64())
		wild.take(calm)
		phase := wild.disturb(k)
		tally[phase]++
		t.Logf("moment %d of about %v: %s: %s", n+1, took.Round(time.Millisecond), k, phase)
		wild.checkPublished("after "+k.String(), false)
		wild.succeed()
		calm.succeed()
		took = (3*took + calm.took) / 4
		wild.checkPublished("after the next apply", true)
		wild.same(calm)
		wild.clean()
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Logf("phases that were hit: %v", tally)
	for _, v := range []*victim{calm, wild} {
		v.stopped()
	}
}

// A kill is one way to end an apply.
type kill struct {
	signal syscall.Signal
	engine bool // kill the engine, too
	tool   bool
	await  string // what to wait for, see reached
	delay  time.Duration
}

// String tells how to do it again.
func (k kill) String() string {
	var who []string
	if k.tool {
		who = append(who, fmt.Sprintf("tool: %v", k.signal))
	}
	if k.engine {
		who = append(who, "engine: killed")
	}
	return fmt.Sprintf("%s %s after %s", strings.Join(who, ", "), k.delay.Round(time.Millisecond), k.await)
}

// randomKill draws a way to end an apply that takes about as long as took. Two
// in five moments are spread evenly over the run; the others aim at a phase, or
// the short ones would hardly be met.
func randomKill(rng *rand.Rand, n int, took time.Duration) kill {
	k := kill{tool: true, await: "start", delay: time.Duration(rng.Int64N(int64(took)))}
	k.signal = []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL, syscall.SIGKILL}[rng.IntN(4)]
	switch n % 5 {
	case 1:
		k.await, k.delay = "building", time.Duration(rng.Int64N(int64(500*time.Millisecond)))
	case 2:
		k.await, k.delay = "writing", time.Duration(rng.Int64N(int64(150*time.Millisecond)))
	case 3:
		k.await, k.delay = "publishing", time.Duration(rng.Int64N(int64(5*time.Millisecond)))
	}
	switch rng.IntN(4) {
	case 0:
		k.engine = true
	case 1:
		k.engine, k.tool = true, false
	}
	return k
}

// disturb begins an apply and ends it, and tells in which phase it was.
func (v *victim) disturb(k kill) string {
	v.t.Helper()
	cmd := v.command()
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		v.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for !v.reached(k.await) && time.Since(begun) < patience && len(ended) == 0 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(k.delay)
	phase := v.phase()
	if len(ended) > 0 {
		phase = "ended"
	}
	if k.engine {
		v.killEngine()
	}
	if k.tool {
		// It may have ended meanwhile.
		_ = cmd.Process.Signal(k.signal)
	}
	select {
	case <-ended:
	case <-time.After(patience):
		cmd.Process.Kill()
		v.t.Fatalf("%s: it does not end:\n%s", k, v.output())
	}
	code := cmd.ProcessState.ExitCode()
	switch {
	case code == 0, code == -1 && k.tool: // it was done, or had no time for a word
	case code == exitInterrupted && k.tool && k.signal != syscall.SIGKILL:
		if !strings.Contains(v.output(), "interrupted: nothing was written") {
			v.t.Errorf("%s: nothing is said of the interrupt:\n%s", k, v.output())
		}
	case code == 1 && k.engine:
	default:
		v.t.Errorf("%s: exit code %d:\n%s", k, code, v.output())
	}
	return phase
}

// reached tells whether the apply has come to a phase.
func (v *victim) reached(phase string) bool {
	switch phase {
	case "building":
		return strings.Contains(v.output(), "[image_set.plant.image.") || len(v.bundles()) > 0
	case "writing":
		return len(v.glob(".flotobuild-tmp-*")) > 0
	case "publishing":
		return len(v.glob("*.zip")) > 0
	}
	return true
}

// phase is the last one that has been reached.
func (v *victim) phase() string {
	for _, p := range []string{"publishing", "writing", "building"} {
		if v.reached(p) {
			return p
		}
	}
	return "planning"
}

func (v *victim) glob(pattern string) []string {
	files, err := filepath.Glob(filepath.Join(v.dir, "dist", pattern))
	if err != nil {
		v.t.Fatal(err)
	}
	return files
}

func (v *victim) output() string {
	b, _ := os.ReadFile(v.log)
	return string(b)
}

// bundles are the containers of RUN steps.
func (v *victim) bundles() []string {
	b, _ := filepath.Glob(filepath.Join(v.engineDir(), "buildkit", "runc-*", "executor", "*", "config.json"))
	return b
}
