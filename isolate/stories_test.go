package isolate

import (
	"encoding/json"
	"net/url"
	"os"
	"testing"
)

// tellStories runs a Worker of testdata whose answers were recorded from workerd.
func tellStories(t *testing.T, name string) {
	t.Helper()
	source, err := os.ReadFile("testdata/" + name + ".js")
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var answers map[string]string
	if err := json.Unmarshal(recorded, &answers); err != nil {
		t.Fatal(err)
	}
	p := newTestPool(t, jsSpec(string(source)))
	for story, want := range answers {
		t.Run(story, func(t *testing.T) {
			wants(t, p, &fakeHost{}, testRequest("GET", "http://a.test/"+url.PathEscape(story), ""), "200 "+want)
		})
	}
}

// TestBodies: Request, Response, FormData, Blob and fixed lengths as on workerd.
func TestBodies(t *testing.T) { tellStories(t, "bodies") }
