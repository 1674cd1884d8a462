package wpt

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
)

// Bar is what workerd and Node 20 pass of these tests, run by the same recipe: script key → sub-test → who.
type Bar map[string]map[string]Peers

// Peers is a set of runtimes.
type Peers int

// The runtimes of the bar. What both pass is what any server of Workers must pass.
const (
	Workerd Peers = 1
	Node    Peers = 2
	Both          = Workerd | Node
)

//go:embed bar.json.gz
var barFile []byte

// ReadBar reads the bar that is part of this package.
func ReadBar() (Bar, error) {
	plain, err := gzip.NewReader(bytes.NewReader(barFile))
	if err != nil {
		return nil, fmt.Errorf("bar: %w", err)
	}
	var bar Bar
	if err := json.NewDecoder(plain).Decode(&bar); err != nil {
		return nil, fmt.Errorf("bar: %w", err)
	}
	return bar, nil
}
