package store

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// crashDir makes the test binary the process that TestCrashKill kills.
const crashDir = "SWITCHYARD_CRASH_DIR"

// crashPoints is how often TestCrashKill kills (20), and makes TestCrashOneFailure leave nothing out.
const crashPoints = "SWITCHYARD_CRASH_POINTS"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := deployForEver(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// deployForEver says the number of each version on standard output once it is acknowledged.
func deployForEver(dir string) error {
	s, err := Open(Options{Dir: dir})
	if err != nil {
		return err
	}
	next, err := nextNumber(s)
	if err != nil {
		return err
	}
	for n := next; ; n++ {
		size := 4 << 10
		if n%50 == 0 {
			size = 3 << 20 // turns over a memtable
		}
		v := Version{ID: fmt.Sprintf("v%d", n), ScriptID: "worker", Number: n, Created: at(n), Main: "a.js"}
		for i := range 2 {
			h, err := s.PutBlob(ctx, noise(uint64(2*n+i), size))
			if err != nil {
				return err
			}
			v.Modules = append(v.Modules, Module{Name: fmt.Sprintf("m%d.js", i), Kind: "es", Hash: h, Size: int64(size)})
		}
		if err := s.Apply(ctx, deployChanges(v)...); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// nextNumber is what the script record says, or an error when its versions and deployments
// do not say the same: a change half applied.
func nextNumber(s *Store) (int, error) {
	next, versions, deployments := 1, 0, 0
	err := s.Load(func(r Record) error {
		switch {
		case r.Script != nil:
			next = r.Script.NextVersion
		case r.Version != nil:
			versions++
		case r.Deployment != nil:
			deployments++
		}
		return nil
	})
	if err == nil && (versions != next-1 || deployments != versions) {
		err = fmt.Errorf("mixed: next version %d, %d versions, %d deployments", next, versions, deployments)
	}
	return next, err
}

// TestCrashKill kills a deploying process, on a real disk, at random points of its life, opening
// included: what it said it had deployed must be there, whole, and at most one deploy more.
func TestCrashKill(t *testing.T) {
	points := 20
	if n, err := strconv.Atoi(os.Getenv(crashPoints)); err == nil {
		points = n
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var (
		r          = rand.New(rand.NewPCG(seed, 1))
		dir        = t.TempDir()
		acked      int
		recoveries []time.Duration
	)
	for i := range points {
		acked = max(acked, killed(t, dir, r))
		start := time.Now()
		s := open(t, nil, func(o *Options) { o.Dir, o.FS, o.Key = dir, nil, nil })
		recoveries = append(recoveries, time.Since(start))
		next, err := nextNumber(s)
		if err != nil {
			t.Fatalf("kill %d: %v", i, err)
		}
		if next-1 != acked && next-1 != acked+1 {
			t.Fatalf("kill %d: %d versions, %d were acknowledged", i, next-1, acked)
		}
		acked = next - 1
		if i%20 == 19 || i == points-1 {
			wantHealthy(t, s)
		}
		must(t, s.Close())
		if t.Failed() {
			t.Fatalf("kill %d", i)
		}
	}
	slices.Sort(recoveries)
	t.Logf("%d kills, %d deploys, none lost, none torn; opening again took %s at the median, %s at most",
		points, acked, recoveries[points/2], recoveries[points-1])
}

// killed runs the process and kills it after up to 50 ms, counted from its start or from its
// first deploy; it returns the last deploy that was acknowledged.
func killed(t *testing.T, dir string, r *rand.Rand) int {
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	fromFirst := r.IntN(4) > 0
	lines := bufio.NewReader(out)
	last := 0
	read := func() error {
		line, err := lines.ReadString('\n')
		if err == nil {
			last, err = strconv.Atoi(strings.TrimSpace(line))
		}
		return err
	}
	if fromFirst && read() != nil {
		cmd.Wait()
		t.Fatalf("the process ended by itself: %s", complaint.String())
	}
	timer := time.AfterFunc(time.Duration(r.IntN(50_000))*time.Microsecond, func() { cmd.Process.Kill() })
	defer timer.Stop()
	for err == nil {
		err = read()
	}
	if err != io.EOF {
		t.Fatalf("output of the process: %v", err)
	}
	cmd.Wait()
	if complaint.Len() > 0 {
		t.Fatalf("the process: %s", complaint.String())
	}
	return last
}
