package control

import (
	"net/http"
	"strings"

	"switchyard/engine"
)

// access is what an endpoint asks of a token. It follows from method and path alone, so that
// an endpoint that is new is closed before anybody thinks of it.
type access struct {
	open       bool // for every valid token: who am I
	area       engine.Area
	write      bool
	namespaced bool // it is about the dispatch namespace in its path
}

// openPaths tell a token about itself, or ask for one of their own.
var openPaths = map[string]bool{
	pathBase + "/user": true, pathBase + "/user/tokens/verify": true, pathBase + "/accounts": true,
	pathBase + "/memberships": true, pathAccount + "/workers/assets/upload": true, pathAccount: true, pathAccount + "/tokens/verify": true,
}

// areaMarks say which area a path belongs to, the first that it contains; else AreaScripts.
var areaMarks = []struct {
	mark string
	area engine.Area
}{
	{"/metrics", engine.AreaMetrics},
	{"/tokens", engine.AreaTokens},
	{"/audit_logs", engine.AreaTokens},
	{"/storage/kv", engine.AreaKV},
	{"/tails", engine.AreaTail},
	{"/logs", engine.AreaTail},
	{"/observability", engine.AreaTail},
	{"/zones", engine.AreaRoutes},
	{"/routes", engine.AreaRoutes},
	{"/domains", engine.AreaRoutes},
}

// readingPosts are the paths whose POST changes nothing that lasts.
var readingPosts = []string{"/bulk/get", "/tails", "/query", "/telemetry"}

func accessOf(method, pattern string) access {
	if openPaths[pattern] {
		return access{open: true}
	}
	a := access{area: engine.AreaScripts, write: writes(method, pattern), namespaced: strings.HasPrefix(pattern, pathNamespace)}
	for _, m := range areaMarks {
		if strings.Contains(pattern, m.mark) {
			a.area = m.area
			break
		}
	}
	return a
}

func writes(method, pattern string) bool {
	if method == http.MethodGet || method == http.MethodHead {
		return false
	}
	for _, mark := range readingPosts {
		if strings.Contains(pattern, mark) {
			return false
		}
	}
	return true
}

// permit is the one place that decides whether a token may call an endpoint.
func (s *server) permit(who engine.Token, r *http.Request, to *target, params map[string]string) *problem {
	a := to.access
	if a.open || who.Scope.Allows(s.need(a, params)) {
		return nil
	}
	if !a.write && !who.Scope.Account() && (strings.HasPrefix(to.pattern, pathPlain) || strings.HasPrefix(to.pattern, pathService)) {
		// wrangler looks for a plain Worker of the same name before it deploys into a namespace,
		// and goes on when there is none. Whether there is one is not this token's to know.
		return fail(http.StatusNotFound, scriptNotFound(r.URL.Path), "script not found: "+quote(params["script"]+params["service"]))
	}
	verb := "read"
	if a.write {
		verb = "change"
	}
	return fail(http.StatusForbidden, codeAuth, "Authentication error: token "+quote(who.Name)+" may not "+verb+" "+string(a.area)+" here")
}

// need is the grant that a call asks for. A namespace that is not there is nobody's but the
// account's: others learn nothing of it.
func (s *server) need(a access, params map[string]string) engine.Grant {
	g := engine.Grant{Area: a.area, Write: a.write}
	if a.namespaced {
		if n, err := s.Platform.Namespace(params["namespace"]); err == nil {
			g.Namespace = n.ID
		}
	}
	return g
}
