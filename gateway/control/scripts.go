package control

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"switchyard/engine"
)

// scriptJSON is a script as every endpoint shows it. wrangler warns before it overwrites what
// was not last deployed by itself; here every deploy is by this API, so that it never does.
type scriptJSON struct {
	ID            string          `json:"id"`
	Tag           string          `json:"tag"` // the immutable id
	ETag          string          `json:"etag"`
	Tags          []string        `json:"tags"`
	Handlers      []string        `json:"handlers"`
	NamedHandlers []any           `json:"named_handlers"`
	HasAssets     bool            `json:"has_assets"`
	HasModules    bool            `json:"has_modules"`
	EntryPoint    string          `json:"entry_point"`
	Date          string          `json:"compatibility_date,omitempty"`
	Flags         []string        `json:"compatibility_flags"`
	CreatedOn     time.Time       `json:"created_on"`
	ModifiedOn    time.Time       `json:"modified_on"`
	DeployedFrom  string          `json:"last_deployed_from"`
	UsageModel    string          `json:"usage_model"`
	StartupMS     int64           `json:"startup_time_ms"`
	DeploymentID  string          `json:"deployment_id"` // the version's id without its dashes; wrangler puts them back
	Namespace     string          `json:"dispatch_namespace,omitempty"`
	Limits        *limits         `json:"limits,omitempty"`
	Switchyard    *extension      `json:"switchyard,omitempty"`
	Observability json.RawMessage `json:"observability,omitempty"`
	Logpush       json.RawMessage `json:"logpush,omitempty"`
	Placement     json.RawMessage `json:"placement,omitempty"`
	TailConsumers json.RawMessage `json:"tail_consumers,omitempty"`
}

func describeScript(s engine.Script) scriptJSON {
	v := s.Version
	x := extrasOf(v.Metadata)
	return scriptJSON{
		ID: s.Script, Tag: s.ID, ETag: v.ETag, Tags: listed(s.Tags),
		Handlers: handlers(s), NamedHandlers: []any{}, HasAssets: v.Assets != nil, HasModules: s.HasModules, EntryPoint: v.Main,
		Date: v.CompatibilityDate, Flags: listed(v.CompatibilityFlags),
		CreatedOn: stamp(s.Created), ModifiedOn: stamp(s.Modified), DeployedFrom: "wrangler", UsageModel: "standard",
		StartupMS: v.Startup.Milliseconds(), DeploymentID: strings.ReplaceAll(v.ID, "-", ""), Namespace: s.Namespace,
		Limits: describeLimits(v.Limits), Switchyard: describeExtension(&v),
		Observability: x.Observability, Logpush: x.Logpush, Placement: x.Placement, TailConsumers: x.TailConsumers,
	}
}

func handlers(s engine.Script) []string {
	if s.HandlesHTTP {
		return []string{"fetch"}
	}
	return []string{}
}

// listed is never null in JSON.
func listed(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// extras are the keys of a version's metadata that are shown again.
type extras struct {
	Observability json.RawMessage `json:"observability"`
	Logpush       json.RawMessage `json:"logpush"`
	Placement     json.RawMessage `json:"placement"`
	TailConsumers json.RawMessage `json:"tail_consumers"`
}

func extrasOf(doc []byte) (x extras) {
	if len(doc) == 0 {
		return x
	}
	if err := json.Unmarshal(doc, &x); err != nil {
		panic("BUG: stored metadata is not an object: " + err.Error())
	}
	return x
}

// userScriptJSON is a script in a namespace: nested, and flat for clients that read result[].id.
type userScriptJSON struct {
	scriptJSON
	Script scriptJSON `json:"script"`
}

func describeUserScript(s engine.Script) userScriptJSON {
	script := describeScript(s)
	return userScriptJSON{scriptJSON: script, Script: script}
}

// putScript makes a version and gives it all the traffic.
func (s *server) putScript(c *call) (any, error) {
	u, err := s.readUpload(c)
	if err != nil {
		return nil, err
	}
	return described(describeScript)(s.Platform.Deploy(c.context(), c.ref(), u))
}

func (s *server) getUserScript(c *call) (any, error) {
	return described(describeUserScript)(s.Platform.Script(c.ref()))
}

func (s *server) deleteScript(c *call) (any, error) {
	return noResult, s.Platform.DeleteScript(c.context(), c.ref())
}

func (s *server) listScripts(c *call) (any, error) {
	scripts, _, err := s.selectScripts(c)
	if err != nil {
		return nil, err
	}
	return onePage(c, collect(scripts, describeScript)), nil
}

// maxListed is the most scripts of one answer, and their number where no limit is given.
const maxListed = 1000

// listUserScripts pages by cursor, which is the last name of the page before.
func (s *server) listUserScripts(c *call) (any, error) {
	scripts, limit, err := s.selectScripts(c)
	if err != nil {
		return nil, err
	}
	after, err := base64.RawURLEncoding.DecodeString(c.query("cursor"))
	if err != nil {
		return nil, fail(http.StatusBadRequest, codeInput, "cursor is not one of this server")
	}
	start := sort.Search(len(scripts), func(i int) bool { return scripts[i].Script > string(after) })
	page := scripts[start:]
	info := cursorInfo{PerPage: limit}
	if len(page) > limit {
		page = page[:limit]
		info.Cursor = base64.RawURLEncoding.EncodeToString([]byte(page[limit-1].Script))
	}
	info.Count = len(page)
	return list{collect(page, describeUserScript), info}, nil
}

// deleteUserScripts deletes by tag. Without a filter it refuses: that would be all of them.
func (s *server) deleteUserScripts(c *call) (any, error) {
	if c.query("tags") == "" {
		return nil, fail(http.StatusBadRequest, codeInput, "tags: a filter is required to delete scripts in bulk, as in ?tags=customer-1:yes")
	}
	scripts, limit, err := s.selectScripts(c)
	if err != nil {
		return nil, err
	}
	type deletedJSON struct {
		ID string `json:"id"`
	}
	gone := []deletedJSON{}
	for _, script := range scripts[:min(limit, len(scripts))] {
		err := s.Platform.DeleteScript(c.context(), script.Ref)
		if err != nil && !errors.Is(err, engine.ErrScriptNotFound) {
			return nil, fmt.Errorf("after %d scripts: %w", len(gone), err)
		}
		gone = append(gone, deletedJSON{script.Script})
	}
	return struct {
		Deleted []deletedJSON `json:"deleted"`
		Count   int           `json:"deleted_count"`
		More    bool          `json:"has_more"`
	}{gone, len(gone), len(scripts) > limit}, nil
}

// selectScripts returns the namespace's scripts that the query's tags let through, by name,
// and how many of them the client wants at once.
func (s *server) selectScripts(c *call) ([]engine.Script, int, error) {
	keep, err := tagFilter(c.query("tags"))
	if err != nil {
		return nil, 0, err
	}
	limit := maxListed
	if q := c.query("limit"); q != "" {
		if limit, err = strconv.Atoi(q); err != nil || limit < 1 || limit > maxListed {
			return nil, 0, fail(http.StatusBadRequest, codeInput, fmt.Sprintf("limit: %s is not a number from 1 to %d", quote(q), maxListed))
		}
	}
	scripts, err := s.Platform.Scripts(c.param("namespace"))
	if err != nil {
		return nil, 0, err
	}
	return slices.DeleteFunc(slices.Clone(scripts), func(s engine.Script) bool { return !keep(s.Tags) }), limit, nil
}

// tagFilter parses "a:yes,b:no": has the tag a and has not b.
func tagFilter(query string) (func(tags []string) bool, error) {
	want := map[string]bool{}
	for _, term := range strings.FieldsFunc(query, func(r rune) bool { return r == ',' }) {
		at := strings.LastIndexByte(term, ':')
		if at < 1 || term[at+1:] != "yes" && term[at+1:] != "no" {
			return nil, fail(http.StatusBadRequest, codeInput, "tags: "+quote(term)+" is not of the form tag:yes or tag:no")
		}
		want[term[:at]] = term[at+1:] == "yes"
	}
	return func(tags []string) bool {
		for tag, yes := range want {
			if slices.Contains(tags, tag) != yes {
				return false
			}
		}
		return true
	}, nil
}
