// Package site decides what a request for a version's static assets is answered with: which
// file, which redirect, or that it is the Worker's. It is pure: it knows paths and rules,
// neither bytes nor sockets. The rules are those of Workers' static assets.
//
// Where to look:
//
//	config.go    the configuration of an upload
//	answer.go    from a request to an answer: redirects, then a file, then what stands for none
//	html.go      which file a path means, as tables
//	first.go     which paths the Worker sees before the files do
//	redirects.go, headers.go   the files _redirects and _headers; pattern.go, path.go: their terms
package site

import (
	"encoding/json"
	"fmt"
	"strings"
)

// HTML handlings: which URL of an HTML file is its canonical one.
const (
	AutoTrailingSlash  = "auto-trailing-slash" // the default: /page for page.html, /folder/ for folder/index.html
	ForceTrailingSlash = "force-trailing-slash"
	DropTrailingSlash  = "drop-trailing-slash"
	NoHTML             = "none" // only the file's own path
)

// Not-found handlings: what stands for a file that is not there.
const (
	NotFoundNone          = "none"     // the default: an empty 404
	NotFoundPage          = "404-page" // the nearest 404.html, with status 404
	SinglePageApplication = "single-page-application"
)

// MaxConfig bounds a configuration's JSON, the two files of rules included, in bytes.
const MaxConfig = 1 << 20

// Config is the "assets" configuration of a version, compiled. It does not change.
type Config struct {
	html      string
	notFound  string
	first     workerFirst
	redirects redirects
	headers   []headerRule
	navigates bool
}

// Memory returns about how many bytes c takes.
func (c *Config) Memory() int64 {
	const rule, compiled = 200, 8 << 10
	n := int64(rule * (len(c.redirects.static) + len(c.headers) + 1))
	for i := range c.redirects.dynamic {
		n += int64(compiled + len(c.redirects.dynamic[i].to))
	}
	for i := range c.headers {
		for _, h := range c.headers[i].set {
			n += int64(len(h.Name) + len(h.Value))
		}
		if c.headers[i].path.kind == wild {
			n += compiled
		}
	}
	return n
}

// ConfigError says what of a configuration is refused.
type ConfigError struct {
	Field  string // a key, or one of its elements
	Reason string
}

func (e *ConfigError) Error() string { return e.Field + ": " + e.Reason }

func refuse(field, format string, args ...any) error {
	return &ConfigError{field, fmt.Sprintf(format, args...)}
}

// Parse compiles a configuration: the JSON of "assets.config" in an upload's metadata, nil for
// all defaults. Keys that mean nothing here are let through. date and flags are the version's
// compatibility date and flags. The error is a *ConfigError.
func Parse(doc json.RawMessage, date string, flags []string) (*Config, error) {
	var given struct {
		HTML          string          `json:"html_handling"`
		NotFound      string          `json:"not_found_handling"`
		WorkerFirst   json.RawMessage `json:"run_worker_first"`
		ServeDirectly *bool           `json:"serve_directly"` // the older name, the other way round
		Headers       string          `json:"_headers"`
		Redirects     string          `json:"_redirects"`
	}
	if len(doc) > MaxConfig {
		return nil, refuse("config", "has %d bytes, at most %d are allowed", len(doc), MaxConfig)
	}
	if len(doc) > 0 {
		if err := json.Unmarshal(doc, &given); err != nil {
			return nil, refuse("config", "is not an object of the documented keys: %v", err)
		}
	}
	c := &Config{navigates: navigationPrefersAssets(date, flags)}
	var err error
	if c.html, err = oneOf("html_handling", given.HTML, AutoTrailingSlash, ForceTrailingSlash, DropTrailingSlash, NoHTML); err != nil {
		return nil, err
	}
	if c.notFound, err = oneOf("not_found_handling", given.NotFound, NotFoundNone, NotFoundPage, SinglePageApplication); err != nil {
		return nil, err
	}
	if c.first, err = parseWorkerFirst(given.WorkerFirst); err != nil {
		return nil, err
	}
	if given.ServeDirectly != nil && given.WorkerFirst == nil {
		c.first.all = !*given.ServeDirectly
	}
	c.redirects = parseRedirects(given.Redirects, c.html)
	c.headers = parseHeaders(given.Headers)
	return c, nil
}

// oneOf accepts one of the words; "" is the first.
func oneOf(field, given string, words ...string) (string, error) {
	if given == "" {
		return words[0], nil
	}
	for _, w := range words {
		if given == w {
			return w, nil
		}
	}
	return "", refuse("config."+field, "%.60q is none of %s", given, strings.Join(words, ", "))
}

// The compatibility flag by which a browser's navigation prefers a not-found page to the Worker.
const (
	navigationFlag  = "assets_navigation_prefers_asset_serving"
	navigationUnset = "assets_navigation_has_no_effect"
	navigationSince = "2025-04-01"
)

func navigationPrefersAssets(date string, flags []string) bool {
	for _, flag := range flags {
		switch flag {
		case navigationFlag:
			return true
		case navigationUnset:
			return false
		}
	}
	return date >= navigationSince
}
