package engine

import (
	"slices"

	"switchyard/isolate"
)

// nodeGlobalsDate is the compatibility date from which nodejs_compat means nodejs_compat_v2.
const nodeGlobalsDate = "2024-09-23"

// nodeCompat reads from a version's compatibility flags what of Node it is given.
func nodeCompat(v *Version) isolate.NodeCompat {
	has := func(flag string) bool { return slices.Contains(v.CompatibilityFlags, flag) }
	switch {
	case has("nodejs_compat_v2"):
		return isolate.NodeGlobals
	case has("nodejs_compat") && v.CompatibilityDate >= nodeGlobalsDate && !has("no_nodejs_compat_v2"):
		return isolate.NodeGlobals
	case has("nodejs_compat"):
		return isolate.NodeModules
	case has("nodejs_als"):
		return isolate.NodeALS
	}
	return isolate.NodeNone
}
