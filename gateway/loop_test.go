package gateway

import (
	"context"
	"testing"
)

func TestLoop(t *testing.T) {
	l, other := NewLoop(), NewLoop()
	if got := l.Open(l.Seal(7)); got != 7 {
		t.Errorf("%d hops come back, want 7", got)
	}
	sealed := l.Seal(1)
	for _, forged := range []string{"", "7", "7;", "7;00", "7" + sealed[1:], other.Seal(7), sealed + "0", "x;y"} {
		if got := l.Open(forged); got != 0 {
			t.Errorf("%q passes for %d hops", forged, got)
		}
	}
	if got := Hops(context.Background()); got != 0 {
		t.Errorf("%d hops from nowhere", got)
	}
	if got := Hops(context.WithValue(context.Background(), HopsKey{}, 3)); got != 3 {
		t.Errorf("%d hops, want 3", got)
	}
}
