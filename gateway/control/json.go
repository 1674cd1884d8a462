package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"unicode/utf8"
)

const (
	maxJSONBody  = 1 << 20 // a JSON request body, or the metadata part of an upload
	maxJSONDepth = 64      // nesting of one
)

// readJSON decodes the body whatever its content type says: wrangler labels JSON text/plain,
// and bulk secrets are application/merge-patch+json.
func (c *call) readJSON(v any) error {
	body, err := c.readBody(maxJSONBody)
	if err != nil {
		return err
	}
	return decodeJSON("body", body, v)
}

// readBody reads the whole body, at most limit bytes of it.
func (c *call) readBody(limit int64) ([]byte, error) {
	if e := c.r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		// Refused rather than inflated: no client sends one, and it would be a way around limit.
		return nil, fail(http.StatusUnsupportedMediaType, codeBody, "Content-Encoding "+quote(e)+" is not accepted: send the body as it is")
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, limit))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, fail(http.StatusRequestEntityTooLarge, codeTooLarge, fmt.Sprintf("request body exceeds %d bytes", limit))
	}
	if err != nil {
		return nil, fail(http.StatusBadRequest, codeBody, "request body cut short: "+err.Error())
	}
	return body, nil
}

// decodeJSON decodes one document; its errors name the document and the field or offset.
func decodeJSON(what string, data []byte, v any) error {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(data)) == 0 {
		return fail(http.StatusBadRequest, codeBody, what+" is empty: expected JSON")
	}
	if !utf8.Valid(data) {
		return fail(http.StatusBadRequest, codeBody, what+" is not valid UTF-8")
	}
	if depth := jsonDepth(data); depth > maxJSONDepth {
		return fail(http.StatusBadRequest, codeBody, fmt.Sprintf("%s nests deeper than %d levels", what, maxJSONDepth))
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fail(http.StatusBadRequest, codeBody, what+": "+explainJSON(err))
	}
	return nil
}

func explainJSON(err error) string {
	if e := (*json.SyntaxError)(nil); errors.As(err, &e) {
		return fmt.Sprintf("not JSON at offset %d: %v", e.Offset, err)
	}
	if e := (*json.UnmarshalTypeError)(nil); errors.As(err, &e) {
		// The path goes through the names of embedded structs, which are not in the document.
		field := strings.TrimPrefix(strings.TrimPrefix(e.Field, "settings."), "unsupported.")
		if field == "" {
			field = "the document"
		}
		return fmt.Sprintf("%s is a JSON %s, expected %s (offset %d)", field, e.Value, jsonType(e.Type), e.Offset)
	}
	return err.Error()
}

// jsonType is what a Go type is called in JSON.
func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return jsonType(t.Elem())
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Slice:
		return "an array"
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Float64:
		return "a number"
	}
	return "a whole number"
}

// jsonDepth returns the deepest nesting of arrays and objects, without decoding anything.
func jsonDepth(data []byte) int {
	depth, deepest, inString := 0, 0, false
	for i := 0; i < len(data); i++ {
		switch b := data[i]; {
		case inString && b == '\\':
			i++
		case b == '"':
			inString = !inString
		case inString:
		case b == '[' || b == '{':
			depth++
			deepest = max(deepest, depth)
		case b == ']' || b == '}':
			depth--
		}
	}
	return deepest
}

// optional tells a field that is null, which takes something away, from one that is not there.
type optional[T any] struct {
	given bool
	value T // the zero value for null
}

// UnmarshalJSON is called for null too.
func (o *optional[T]) UnmarshalJSON(text []byte) error {
	*o = optional[T]{given: true}
	return json.Unmarshal(text, &o.value)
}
