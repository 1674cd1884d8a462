package wpt

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"
)

// Script is one test file in one of its variants.
type Script struct {
	Area     string
	Key      string // area__folder__file, and @index where the file names variants
	Long     bool   // the test asks for a longer timeout
	Measured bool   // the bar was measured with tests of this release

	path     string
	search   string // the variant, a URL's query with its ?
	source   string
	includes []string // files of the tree that come before it
}

// Timeout is how long the Worker waits for its tests before it answers with those that ended.
func (s Script) Timeout() time.Duration {
	if s.Long {
		return 60 * time.Second
	}
	return 9 * time.Second
}

//go:embed worker.js
var workerTemplate string

// Worker is s as a Worker in service-worker syntax, which needs nothing but itself. It runs its tests inside the request
// it is asked with, because module scope has no I/O, and answers with what Parse reads.
func (s Script) Worker(t Tree) (string, error) {
	harness, err := t.harness()
	if err != nil {
		return "", err
	}
	var tests strings.Builder
	for _, name := range s.includes {
		source, err := t.read(name)
		if err != nil {
			return "", fmt.Errorf("%s: %w", s.Key, err)
		}
		tests.WriteString(source + "\n;\n")
	}
	tests.WriteString(s.source)
	resources, err := s.resources(t, tests.String())
	if err != nil {
		return "", err
	}
	return strings.NewReplacer(
		"/*HARNESS*/", harness,
		"/*STRICT*/", useStrict.FindString(s.source),
		"/*TESTS*/", tests.String(),
		"/*SEARCH*/", literal(s.search),
		"/*PATH*/", literal("/"+s.path),
		"/*RESOURCES*/", literal(resources),
		"/*TIMEOUT*/", fmt.Sprint(s.Timeout().Milliseconds()),
	).Replace(workerTemplate), nil
}

// useStrict finds the directive of a test: what it includes comes before it in the same function, and follows it.
var useStrict = regexp.MustCompile(`(?m)^['"]use strict['"];?`)

// harness is testharness.js, told that it runs in a shell: it knows no Worker of ours.
func (t Tree) harness() (string, error) {
	const head = "function create_test_environment() {"
	source, err := t.read("resources/testharness.js")
	if err != nil {
		return "", err
	}
	if strings.Count(source, head) != 1 {
		return "", fmt.Errorf("testharness.js does not have %q once", head)
	}
	return strings.Replace(source, head, head+" return new ShellTestEnvironment();", 1), nil
}

var fetched = regexp.MustCompile("fetch\\([\"'`]([^\"'`$]+\\.(?:json|txt))[\"'`]\\)")

// resources are the files that the tests fetch by a relative URL: there is no server to ask.
func (s Script) resources(t Tree, tests string) (map[string]string, error) {
	found := map[string]string{}
	for _, m := range fetched.FindAllStringSubmatch(tests, -1) {
		text, err := t.read(path.Join(path.Dir(s.path), m[1]))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Key, err)
		}
		found[m[1]] = text
	}
	return found, nil
}

// literal is v as a JavaScript expression.
func literal(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("BUG: wpt: %v", err))
	}
	return string(b)
}
