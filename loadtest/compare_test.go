package loadtest

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestMannWhitney against values of R's wilcox.test(exact=FALSE).
func TestMannWhitney(t *testing.T) {
	for _, c := range []struct {
		x, y []float64
		want float64
	}{
		{[]float64{1, 2, 3, 4, 5}, []float64{6, 7, 8, 9, 10}, 0.01219},
		{[]float64{1, 2, 3}, []float64{1, 2, 3}, 1},
		{[]float64{5, 5, 5}, []float64{5, 5, 5}, 1},
	} {
		if got := mannWhitney(c.x, c.y); math.Abs(got-c.want) > 1e-4 {
			t.Errorf("%v, %v: %v, want %v", c.x, c.y, got, c.want)
		}
	}
}

// TestCompareFindsWhatIsThere: equal samples rarely differ, shifted ones do.
func TestCompareFindsWhatIsThere(t *testing.T) {
	const seed = 4
	random := rand.New(rand.NewPCG(seed, 0))
	draw := func(mean float64) []float64 {
		x := make([]float64, 12)
		for i := range x {
			x[i] = mean * (1 + 0.05*random.NormFloat64())
		}
		return x
	}
	wrong := 0
	for range 40 {
		if compare("a", "p50", "runs", draw(100), draw(100)).Verdict() != "no difference shown" {
			wrong++
		}
		if c := compare("a", "p50", "runs", draw(100), draw(130)); c.Verdict() != "B is higher" || c.Low > 1.3 || c.High < 1.2 {
			t.Errorf("seed %d: %+v %s", seed, c, c.Verdict())
		}
	}
	if wrong > 6 {
		t.Errorf("seed %d: %d of 40 equal pairs were told apart", seed, wrong)
	}
}
