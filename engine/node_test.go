package engine

import (
	"testing"

	"switchyard/isolate"
)

func TestNodeCompat(t *testing.T) {
	for _, s := range []struct {
		date  string
		flags []string
		want  isolate.NodeCompat
	}{
		{"2025-01-01", nil, isolate.NodeNone},
		{"2025-01-01", []string{"nodejs_als"}, isolate.NodeALS},
		{"2024-09-22", []string{"nodejs_compat"}, isolate.NodeModules},
		{"", []string{"nodejs_compat"}, isolate.NodeModules},
		{"2024-09-23", []string{"other", "nodejs_compat"}, isolate.NodeGlobals},
		{"2024-09-23", []string{"nodejs_compat", "no_nodejs_compat_v2"}, isolate.NodeModules},
		{"2023-01-01", []string{"nodejs_compat_v2"}, isolate.NodeGlobals},
	} {
		if got := nodeCompat(&Version{CompatibilityDate: s.date, CompatibilityFlags: s.flags}); got != s.want {
			t.Errorf("%s %v: got %v, want %v", s.date, s.flags, got, s.want)
		}
	}
}
