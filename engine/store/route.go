package store

// Route sends the requests of a host pattern to a plain Worker.
type Route struct {
	ID      string `json:"id"`
	Pattern string `json:"pattern"`
	Script  string `json:"script"` // its name
}

func (r *Route) key() []byte { return routeKey(r.ID) }

func (r *Route) validate() error {
	return requireIDs("route", field{"id", r.ID})
}
