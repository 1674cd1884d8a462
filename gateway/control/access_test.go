package control

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"switchyard/engine"
	"switchyard/isolate"
)

// tokenKinds are what tokens are made for, and of which endpoints each is let through, said in
// other words than permit's: by what the path looks like.
var tokenKinds = []struct {
	name  string
	scope func(namespaceID string) engine.Scope
	may   func(r row, in string) bool // in is the namespace that the path is given
}{
	{"admin", func(string) engine.Scope { return engine.FullScope }, func(row, string) bool { return true }},
	{"read-only", func(string) engine.Scope { return engine.Scope{{Area: engine.AreaAll}} }, func(r row, _ string) bool { return harmless(r) }},
	{"one namespace", func(id string) engine.Scope { return engine.Scope{{Area: engine.AreaAll, Write: true, Namespace: id}} },
		func(r row, in string) bool { return inNamespace(r) && in == "mine" }},
	{"one namespace, read-only", func(id string) engine.Scope { return engine.Scope{{Area: engine.AreaAll, Namespace: id}} },
		func(r row, in string) bool { return inNamespace(r) && in == "mine" && harmless(r) }},
	{"scripts of one namespace", func(id string) engine.Scope {
		return engine.Scope{{Area: engine.AreaScripts, Write: true, Namespace: id}}
	}, func(r row, in string) bool {
		return inNamespace(r) && in == "mine" && !watching(r) && !strings.Contains(r.pattern, "/domains") && !strings.Contains(r.pattern, "/routes")
	}},
	{"tails", func(string) engine.Scope { return engine.Scope{{Area: engine.AreaTail}} }, func(r row, _ string) bool { return watching(r) && harmless(r) }},
	{"tokens", func(string) engine.Scope { return engine.Scope{{Area: engine.AreaTokens, Write: true}} },
		func(r row, _ string) bool {
			return strings.Contains(r.pattern, "/tokens") || strings.HasSuffix(r.pattern, "/audit_logs")
		}},
	{"nothing", func(string) engine.Scope { return nil }, func(row, string) bool { return false }},
}

func inNamespace(r row) bool {
	return strings.HasPrefix(r.pattern, "/client/v4/accounts/{account}/workers/dispatch/namespaces/{namespace}")
}

func watching(r row) bool {
	return strings.Contains(r.pattern, "/tails") || strings.Contains(r.pattern, "/logs") || strings.Contains(r.pattern, "/observability")
}

// harmless says that a call changes nothing that lasts.
func harmless(r row) bool {
	return r.method == "GET" || watching(r) || strings.HasSuffix(r.pattern, "/bulk/get") || strings.HasSuffix(r.pattern, "/query")
}

// TestAccess goes through every endpoint that the router has with every kind of token: none can
// be forgotten.
func TestAccess(t *testing.T) {
	api, platform := newTestServer(t, nil)
	for _, name := range []string{"mine", "theirs"} {
		if _, err := platform.CreateNamespace(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"script", "service", "worker"} { // so that "not found" is an answer to the token
		u := engine.Upload{Main: "i.js", Modules: []isolate.Module{{Name: "i.js"}}}
		if _, err := platform.Deploy(t.Context(), engine.Ref{Script: name}, u); err != nil {
			t.Fatal(err)
		}
	}
	mine, _ := platform.Namespace("mine")
	var secrets []string
	for _, kind := range tokenKinds {
		_, secret, _ := platform.CreateToken(t.Context(), engine.TokenSpec{Name: kind.name, Scope: kind.scope(mine.ID)})
		secrets = append(secrets, secret)
	}
	platform.fail = errors.New("nothing changes")
	rows := api.Config.Handler.(*server).endpoints()
	for i, kind := range tokenKinds {
		for _, r := range rows {
			for _, in := range []string{"mine", "theirs", "missing"} {
				if inNamespace(r) || in == "mine" {
					want := openPaths[r.pattern] || kind.may(r, in)
					if status, code := knock(t, api.URL, secrets[i], r, in); want == kept(status, code) {
						t.Errorf("%s: %s %s in %s: status %d, code %d; let through wanted: %v", kind.name, r.method, r.pattern, in, status, code, want)
					}
				}
			}
		}
	}
	t.Logf("%d endpoints, %d kinds of tokens", len(rows), len(tokenKinds))
}

// kept says that a call was kept out: forbidden, or told that a plain Worker is not there.
func kept(status, code int) bool {
	return status == 403 && code == codeAuth || status == 404 && (code == codeScriptNotFound || code == codeServiceNotFound)
}

// knock calls an endpoint with parameters that are nowhere and no body.
func knock(t *testing.T, base, token string, e row, namespace string) (status, code int) {
	t.Helper()
	method := e.method
	if method == "" {
		method = "POST"
	}
	path := strings.NewReplacer("{account}", testAccount, "{namespace}", namespace, "*", "x", "{token}", "none").Replace(e.pattern)
	r, err := http.NewRequest(method, base+strings.NewReplacer("{", "", "}", "").Replace(path), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct{ Errors []apiError }
	json.NewDecoder(response.Body).Decode(&answer) // a result that is not JSON has no code
	if len(answer.Errors) > 0 {
		code = answer.Errors[0].Code
	}
	return response.StatusCode, code
}
