package main

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"sync"
	"testing"
	"time"

	"switchyard/cmd/switchyard/wpt"
)

var (
	wptTree  = flag.String("wpt.tree", "../../data/wpt", "folder of the web-platform tests (wpt/fetch brings them)")
	wptArea  = flag.String("wpt.area", "", "run this area, or any folder of the tests; else the short set. \"all\" runs all areas")
	wptFile  = flag.String("wpt.file", "", "run only scripts whose key matches this regular expression")
	wptNames = flag.Int("wpt.names", 5, "print so many names of a script's surprises")
)

// wptShort are scripts for every change: quick, and some of each area.
var wptShort = regexp.MustCompile(`^(url__(url-constructor@0|url-origin|url-statics-parse|urlsearchparams-.*)` +
	`|encoding__(streams__(decode-utf8|encode-.*)|textdecoder-(copy|eof|arguments))` +
	`|streams__(queuing-strategies|piping__general|readable-streams__general|readable-byte-streams__general|transform-streams__general)` +
	`|WebCryptoAPI__(getRandomValues|randomUUID.https|digest__.*|encrypt_decrypt__aes_.*|sign_verify__(hmac|ecdsa).*|import_export__ec_importKey.https.*)` +
	`|html__webappapis__(timers|microtask-queuing|structured-clone).*` +
	`|console__.*|hr-time__basic|FileAPI__blob__Blob-(slice|text|stream)|dom__(abort__event|events__EventTarget-constructible))$`)

// wptConfigFile has limits for Workers that test all day.
func wptConfigFile(t *testing.T) string {
	t.Helper()
	file := t.TempDir() + "/config.yaml"
	const config = "limits: {cpu_ms: 90000, startup_cpu_ms: 60000, memory_mb: 256, log_bytes: 67108864}\n"
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestWPT deploys each web-platform test as a Worker, asks it, and holds what it says against the expectations.
func TestWPT(t *testing.T) {
	tree := wpt.Tree(*wptTree)
	if _, err := os.Stat(*wptTree + "/resources/testharness.js"); err != nil {
		t.Skipf("no web-platform tests at %s: cmd/switchyard/wpt/fetch brings them", *wptTree)
	}
	bar, err := wpt.ReadBar()
	if err != nil {
		t.Fatal(err)
	}
	expectations, err := wpt.ReadExpectations()
	if err != nil {
		t.Fatal(err)
	}
	var outcomes []wpt.Outcome
	t.Run("ask", func(t *testing.T) { outcomes = runScripts(t, tree, selectScripts(t, tree)) })
	for _, o := range outcomes {
		if bar[o.Script.Key] == nil && *wptArea == o.Script.Area {
			t.Logf("%s%.1000s", wpt.Unmeasured(o).Format(*wptNames), o.Error)
		}
		if s := expectations.Compare(bar, o).Format(*wptNames); s != "" {
			t.Errorf("%s%.1000s", s, o.Error)
		}
	}
	t.Logf("web-platform tests of nodejs %s\n%s", tree.Version(), wpt.Format(wpt.Tables(bar, outcomes)))
}

// selectScripts are the scripts that the flags ask for.
func selectScripts(t *testing.T, tree wpt.Tree) (chosen []wpt.Script) {
	file, err := regexp.Compile(*wptFile)
	if err != nil {
		t.Fatalf("-wpt.file: %v", err)
	}
	if *wptArea == "" && *wptFile == "" {
		file = wptShort
	}
	areas := wpt.Areas
	if *wptArea != "" && *wptArea != "all" {
		areas = []string{*wptArea}
	}
	for _, area := range areas {
		scripts, err := tree.Scripts(area)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range scripts {
			if file.MatchString(s.Key) {
				chosen = append(chosen, s)
			}
		}
	}
	if chosen == nil {
		t.Fatal("no such scripts")
	}
	return chosen
}

// runScripts asks two Workers at a time: each may use a core for long.
func runScripts(t *testing.T, tree wpt.Tree, scripts []wpt.Script) []wpt.Outcome {
	p := serve(t, t.TempDir(), "--config", wptConfigFile(t))
	p.createNamespace("production")
	client := p.client()
	client.Timeout = 3 * time.Minute
	outcomes := make([]wpt.Outcome, len(scripts))
	next := make(chan int)
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			for i := range next {
				var err error
				if outcomes[i], err = runScript(p, client, tree, scripts[i], fmt.Sprintf("t%d", i)); err != nil {
					outcomes[i] = wpt.Failed(scripts[i], err)
				}
			}
		})
	}
	for i := range scripts {
		next <- i
	}
	close(next)
	workers.Wait()
	return outcomes
}

// runScript deploys s as the user Worker name, asks it once, and takes it away.
func runScript(p *platform, client *http.Client, tree wpt.Tree, s wpt.Script, name string) (wpt.Outcome, error) {
	source, err := s.Worker(tree)
	if err != nil {
		return wpt.Outcome{}, err
	}
	at := customers("production") + name
	if status, e := p.api("PUT", at, "application/javascript", []byte(source)); status != http.StatusOK {
		return wpt.Outcome{}, fmt.Errorf("deploy: %d %s", status, e.message())
	}
	defer p.api("DELETE", at, "", nil)
	r, err := client.Get("http://" + name + ".example.com/")
	if err != nil {
		return wpt.Outcome{}, err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return wpt.Outcome{}, err
	}
	if r.StatusCode != http.StatusOK {
		return wpt.Outcome{}, fmt.Errorf("%d %s", r.StatusCode, body[:min(len(body), 500)])
	}
	return wpt.Parse(s, body)
}
