package site

// Request is what of a request counts.
type Request struct {
	Method    string
	Origin    string // "http://host:port"
	Hostname  string // without the port
	Path      string // as the URL standard serialises it
	Query     string // with its ?; "" without
	Navigates bool   // Sec-Fetch-Mode: navigate: a browser opens a page
}

// Answer says what a request is answered with: a file with its status, a redirect with its
// location, or a bare status.
type Answer struct {
	Status   int
	File     int // none is -1
	Location string
	Missing  bool // no file, no rule: a Worker may answer instead
}

// Route answers a request to a version, or leaves it to the version's Worker.
//
//	run_worker_first    a rule "!/…" ─► files; a rule "/…", or true ─► Worker
//	otherwise           files, when they have something for it; else Worker
//
// What stands for a missing file counts here only where rules say that the remaining paths are
// the files', and for a browser that navigates: else a Worker beside a single-page application
// would never be asked.
func (c *Config) Route(files Files, r *Request) (a Answer, worker bool) {
	switch {
	case matchesAny(c.first.files, r.Path):
		return c.Answer(files, r), false
	case c.first.all || matchesAny(c.first.worker, r.Path):
		return Answer{}, true
	}
	a = c.answer(files, r, c.first.ruled || c.navigates && r.Navigates)
	if a.Status == 404 && a.File == none && !a.Missing { // a rule has led to no file
		a = c.Answer(files, r)
	}
	return a, a.Missing
}

// Answer answers a request with what the files have for it.
func (c *Config) Answer(files Files, r *Request) Answer { return c.answer(files, r, true) }

func (c *Config) answer(files Files, r *Request, fallback bool) Answer {
	path, rewritten := r.Path, false
	if status, to, ok := c.redirects.find(r.Hostname, path); ok {
		if status != 200 {
			return Answer{Status: status, File: none, Location: location(to, r)}
		}
		path, rewritten = to.path, true
	}
	decoded := decodePath(path)
	reader := reader{c, files, fallback}
	m := reader.mean(decoded, false)
	switch {
	case !m.found():
		return Answer{Status: 404, File: none, Missing: !rewritten}
	case r.Method != "GET" && r.Method != "HEAD":
		return Answer{Status: 405, File: none}
	}
	if m.redirect != "" {
		decoded = m.redirect
	}
	if encoded := encodePath(decoded); m.redirect != "" || encoded != path {
		return Answer{Status: 307, File: none, Location: encoded + r.Query}
	}
	return Answer{Status: m.status, File: m.file}
}

// location is a redirect's destination as it is sent: without the origin where it stays. The
// request's query goes along unless the rule has its own.
func location(to target, r *Request) string {
	if to.query == "" {
		to.query = r.Query
	}
	if to.origin == r.Origin {
		to.origin = ""
	}
	return to.origin + to.path + to.query + to.hash
}
