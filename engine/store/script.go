package store

import "time"

// Script is what stays the same over a script's versions. It never moves to another namespace.
type Script struct {
	ID          string    `json:"id"`
	NamespaceID string    `json:"namespace,omitempty"` // "" for a plain Worker
	Name        string    `json:"name"`
	Tags        []string  `json:"tags,omitempty"`
	Created     time.Time `json:"created"`
	Modified    time.Time `json:"modified"`
	NextVersion int       `json:"next_version"` // number of the next upload

	Crons     []Cron     `json:"crons,omitempty"`     // when its scheduled handler runs
	Subdomain *Subdomain `json:"subdomain,omitempty"` // what a client set; nil: never
}

// Cron is one schedule of a script.
type Cron struct {
	Expr     string    `json:"cron"`
	Created  time.Time `json:"created"`
	Modified time.Time `json:"modified"`
}

// Subdomain is what a client asked of the addresses that a script has by its name.
type Subdomain struct {
	Enabled  bool `json:"enabled"`
	Previews bool `json:"previews"`
}

func (s *Script) key() []byte { return scriptKey(s.NamespaceID, s.ID) }

func (s *Script) validate() error {
	return requireOwned("script", s.NamespaceID, field{"id", s.ID})
}
