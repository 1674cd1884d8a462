package engine

import (
	"slices"
	"strings"
)

// Area is a part of the control API that a grant opens.
type Area string

const (
	AreaAll     Area = "all"
	AreaScripts Area = "scripts" // namespaces, scripts, versions, deployments, secrets, assets, schedules
	AreaRoutes  Area = "routes"  // routes, custom domains, zones
	AreaKV      Area = "kv"
	AreaTail    Area = "tail"   // live tails and logs
	AreaTokens  Area = "tokens" // API tokens, audit log
	AreaMetrics Area = "metrics"
)

var areas = []Area{AreaAll, AreaScripts, AreaRoutes, AreaKV, AreaTail, AreaTokens, AreaMetrics}

// Grant is one thing that a token may do: read an area or write it too, in the whole account or
// in one dispatch namespace.
type Grant struct {
	Area      Area
	Write     bool
	Namespace string // id; "" is the account with all its namespaces
}

// Scope is everything that a token may do. The zero Scope may do nothing.
type Scope []Grant

// FullScope is the operator's.
var FullScope = Scope{{Area: AreaAll, Write: true}}

// MaxGrants is how many grants a token has at most.
const MaxGrants = 256

// Allows says whether one of the grants is as wide as need or wider.
func (s Scope) Allows(need Grant) bool {
	return slices.ContainsFunc(s, func(g Grant) bool {
		return (g.Area == AreaAll || g.Area == need.Area) && (g.Write || !need.Write) &&
			(g.Namespace == "" || g.Namespace == need.Namespace)
	})
}

// Covers says whether whoever has s can do everything that other allows: nobody gives away
// more than he has.
func (s Scope) Covers(other Scope) bool {
	return !slices.ContainsFunc(other, func(g Grant) bool { return !s.Allows(g) })
}

// Account says whether some grant is not bound to a namespace.
func (s Scope) Account() bool {
	return slices.ContainsFunc(s, func(g Grant) bool { return g.Namespace == "" })
}

// String is how a scope is stored: "all:write", or "scripts:write@<namespace id> tail:read".
func (s Scope) String() string {
	words := make([]string, len(s))
	for i, g := range s {
		words[i] = string(g.Area) + ":read"
		if g.Write {
			words[i] = string(g.Area) + ":write"
		}
		if g.Namespace != "" {
			words[i] += "@" + g.Namespace
		}
	}
	return strings.Join(words, " ")
}

// parseScope is the way back. A word that it does not know grants nothing.
func parseScope(text string) Scope {
	var s Scope
	for _, word := range strings.Fields(text) {
		word, namespace, _ := strings.Cut(word, "@")
		area, access, _ := strings.Cut(word, ":")
		if slices.Contains(areas, Area(area)) && (access == "read" || access == "write") {
			s = append(s, Grant{Area(area), access == "write", namespace})
		}
	}
	return s
}

// checkScope refuses a scope that could not be stored, or that does nothing. known says which
// namespaces there are, by id.
func checkScope(s Scope, known func(id string) bool) error {
	if len(s) == 0 || len(s) > MaxGrants {
		return invalid("policies", "a token has 1 to %d grants, this one has %d", MaxGrants, len(s))
	}
	for _, g := range s {
		if !slices.Contains(areas, g.Area) {
			return invalid("policies", "there is no area %q", g.Area)
		}
		if g.Namespace == "" {
			continue
		}
		if !known(g.Namespace) {
			return invalid("policies", "there is no dispatch namespace %q", g.Namespace)
		}
		if g.Area != AreaAll && g.Area != AreaScripts && g.Area != AreaTail {
			return invalid("policies", "%s does not belong to a dispatch namespace: grant it in the account", g.Area)
		}
	}
	return nil
}
