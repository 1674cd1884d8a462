package control

import (
	"net/url"
	"slices"
	"strings"

	"switchyard/engine"
)

const (
	pathKV          = pathAccount + "/storage/kv/namespaces"
	pathKVNamespace = pathKV + "/{kv}"
)

func (s *server) kvEndpoints() []row {
	return []row{
		{"GET", pathKV, s.listKVNamespaces},
		{"POST", pathKV, s.createKVNamespace},
		{"GET", pathKVNamespace, s.getKVNamespace},
		{"PUT", pathKVNamespace, s.renameKVNamespace},
		{"DELETE", pathKVNamespace, s.deleteKVNamespace},
		{"GET", pathKVNamespace + "/keys", s.listKVKeys},
		{"GET", pathKVNamespace + "/values/*", s.getKVValue},
		{"PUT", pathKVNamespace + "/values/*", s.upload(s.putKVValue)},
		{"DELETE", pathKVNamespace + "/values/*", s.deleteKVValue},
		{"GET", pathKVNamespace + "/metadata/*", s.getKVMetadata},
		{"PUT", pathKVNamespace + "/bulk", s.upload(s.putKVBulk)},
		{"DELETE", pathKVNamespace + "/bulk", s.upload(s.deleteKVBulk)},
		{"POST", pathKVNamespace + "/bulk/delete", s.upload(s.deleteKVBulk)},
		{"POST", pathKVNamespace + "/bulk/get", s.getKVBulk},
	}
}

type kvNamespaceJSON struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	URLEncoding bool   `json:"supports_url_encoding"` // keys may be percent-encoded in paths
}

func describeKVNamespace(n engine.KVNamespace) kvNamespaceJSON {
	return kvNamespaceJSON{n.ID, n.Title, true}
}

// Pages of the list of KV namespaces.
const (
	kvPerPage    = 20
	maxKVPerPage = 1000
	maxKVPage    = 1 << 30
)

func (s *server) listKVNamespaces(c *call) (any, error) {
	page, per := 1, kvPerPage
	if err := c.queryNumber("page", &page, maxKVPage); err != nil {
		return nil, err
	}
	if err := c.queryNumber("per_page", &per, maxKVPerPage); err != nil {
		return nil, err
	}
	all := s.Platform.KVNamespaces()
	switch order := c.query("order"); order {
	case "", "title":
	case "id":
		slices.SortFunc(all, func(a, b engine.KVNamespace) int { return strings.Compare(a.ID, b.ID) })
	default:
		return nil, refuse("order: must be id or title, not " + quote(order))
	}
	switch direction := c.query("direction"); direction {
	case "", "asc":
	case "desc":
		slices.Reverse(all)
	default:
		return nil, refuse("direction: must be asc or desc, not " + quote(direction))
	}
	from := min((page-1)*per, len(all))
	items := all[from:min(from+per, len(all))]
	info := pageInfo{Page: page, PerPage: per, Count: len(items), TotalCount: len(all), TotalPages: max(1, (len(all)+per-1)/per)}
	return list{collect(items, describeKVNamespace), info}, nil
}

func (c *call) readKVTitle() (string, error) {
	var body struct {
		Title string `json:"title"`
	}
	return body.Title, c.readJSON(&body)
}

func (s *server) createKVNamespace(c *call) (any, error) {
	title, err := c.readKVTitle()
	if err != nil {
		return nil, err
	}
	return described(describeKVNamespace)(s.Platform.CreateKVNamespace(c.context(), title))
}

func (s *server) getKVNamespace(c *call) (any, error) {
	return described(describeKVNamespace)(s.Platform.KVNamespace(c.param("kv")))
}

func (s *server) renameKVNamespace(c *call) (any, error) {
	title, err := c.readKVTitle()
	if err != nil {
		return nil, err
	}
	return described(describeKVNamespace)(s.Platform.RenameKVNamespace(c.context(), c.param("kv"), title))
}

func (s *server) deleteKVNamespace(c *call) (any, error) {
	return struct{}{}, s.Platform.DeleteKVNamespace(c.context(), c.param("kv"))
}

// kvKeyOf is the key that a path ends with, as it was sent: an encoded slash and a bare one are both the key's own, and so are
// empty segments.
func kvKeyOf(c *call, folder string) (string, error) {
	_, rest, _ := strings.Cut(c.r.URL.EscapedPath(), "/storage/kv/")
	_, rest, ok := strings.Cut(rest, "/"+folder+"/")
	if !ok {
		return "", engine.CheckKVKey("")
	}
	key, err := url.PathUnescape(rest)
	if err != nil {
		return "", refuse("the key in the path is not percent-encoded: " + err.Error())
	}
	return key, engine.CheckKVKey(key)
}
