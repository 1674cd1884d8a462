package control

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// field is one leaf of a document that a client flattened into form fields, as the TypeScript
// SDK does: `[bindings][][type]` = "plain_text".
type field struct {
	path  string
	value string
}

// typed lists the leaves that are not strings in the schema; in a flattened document every
// value arrives as text. The last name of the path decides, whatever is above it.
var typed = map[string]func(string) (any, error){
	"cpu_ms":              number,
	"subrequests":         number,
	"wall_ms":             number,
	"memory_mb":           number,
	"request_bytes":       number,
	"response_bytes":      number,
	"log_bytes":           number,
	"egress_bytes":        number,
	"concurrent":          number,
	"rate":                number,
	"head_sampling_rate":  number,
	"limit":               number,
	"period":              number,
	"delivery_delay":      number,
	"logpush":             boolean,
	"enabled":             boolean,
	"persist":             boolean,
	"invocation_logs":     boolean,
	"keep_assets":         boolean,
	"cross_version_cache": boolean,
}

func number(s string) (any, error) {
	n := json.Number(strings.TrimSpace(s))
	if _, err := n.Float64(); err != nil || !json.Valid([]byte(n)) {
		return nil, fmt.Errorf("%s is not a number", quote(s))
	}
	return n, nil
}

func boolean(s string) (any, error) {
	switch s {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return nil, fmt.Errorf("%s is not true or false", quote(s))
}

// unflatten rebuilds the JSON document. An element of an array is told from the next only by
// order: `[]` starts a new element when the element at hand already has that key.
func unflatten(name string, fields []field) ([]byte, error) {
	root := &tree{}
	for _, f := range fields {
		if err := root.add(f); err != nil {
			return nil, fail(http.StatusBadRequest, codeBody, "field "+quote(name+f.path)+": "+err.Error())
		}
	}
	doc, err := json.Marshal(root)
	if err != nil {
		return nil, fail(http.StatusBadRequest, codeBody, "fields "+quote(name+"[…]")+": "+err.Error())
	}
	return doc, nil
}

// tree is a document that grows: an object, an array or a leaf, never two of them.
type tree struct {
	object map[string]*tree
	array  []*tree
	leaf   any
}

func (t *tree) MarshalJSON() ([]byte, error) {
	switch {
	case t.object != nil:
		return json.Marshal(t.object)
	case t.array != nil:
		return json.Marshal(t.array)
	}
	return json.Marshal(t.leaf)
}

func (t *tree) add(f field) error {
	keys, err := bracketKeys(f.path)
	if err != nil {
		return err
	}
	for i, key := range keys {
		if t, err = t.child(key, keys[i+1:]); err != nil {
			return err
		}
	}
	if t.set() {
		return fmt.Errorf("is given twice")
	}
	t.leaf = f.value
	for i := len(keys) - 1; i >= 0; i-- {
		if keys[i] == "" {
			continue
		}
		if convert := typed[keys[i]]; convert != nil {
			t.leaf, err = convert(f.value)
		}
		break
	}
	return err
}

// child returns the member called key, or the array element that a path below still fits in.
func (t *tree) child(key string, below []string) (*tree, error) {
	if t.leaf != nil || key == "" && t.object != nil || key != "" && t.array != nil {
		return nil, fmt.Errorf("is a value in one field and holds others in another")
	}
	if key != "" {
		if t.object == nil {
			t.object = map[string]*tree{}
		}
		if t.object[key] == nil {
			t.object[key] = &tree{}
		}
		return t.object[key], nil
	}
	if n := len(t.array); n == 0 || t.array[n-1].taken(below) {
		t.array = append(t.array, &tree{})
	}
	return t.array[len(t.array)-1], nil
}

// taken says whether a value at path is in t already, so that it belongs to the next element.
func (t *tree) taken(path []string) bool {
	for _, key := range path {
		if key == "" {
			return false // an inner array takes one more
		}
		next := t.object[key]
		if next == nil {
			return t.leaf != nil || t.array != nil
		}
		t = next
	}
	return t.set()
}

func (t *tree) set() bool { return t.leaf != nil || t.object != nil || t.array != nil }

// bracketKeys splits "[bindings][][type]" into its keys; "" stands for "[]".
func bracketKeys(path string) ([]string, error) {
	var keys []string
	for path != "" {
		end := strings.IndexByte(path, ']')
		if path[0] != '[' || end < 0 {
			return nil, fmt.Errorf("brackets do not match")
		}
		keys = append(keys, path[1:end])
		path = path[end+1:]
	}
	if len(keys) > maxJSONDepth {
		return nil, fmt.Errorf("nests deeper than %d levels", maxJSONDepth)
	}
	return keys, nil
}
