package store

import "encoding/json"

// Setting is one named value of the platform; null deletes nothing, it is a value.
type Setting struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

func (s *Setting) key() []byte { return settingKey(s.Name) }

func (s *Setting) validate() error {
	if len(s.Value) == 0 || !json.Valid(s.Value) {
		return invalid("setting %s: value is not JSON", s.Name)
	}
	return requireIDs("setting", field{"name", s.Name})
}
