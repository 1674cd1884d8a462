package store

// Route sends the requests of a host pattern to a plain Worker.
type Route struct {
	ID      string `json:"id"`
	Pattern string `json:"pattern"`
	Script  string `json:"script"` // its name
	// Domain says that the route is a custom domain: all of one host.
	Domain bool   `json:"domain,omitempty"`
	Zone   string `json:"zone,omitempty"` // of a domain: the zone that the client named
}

func (r *Route) key() []byte { return routeKey(r.ID) }

func (r *Route) validate() error {
	return requireIDs("route", field{"id", r.ID})
}
