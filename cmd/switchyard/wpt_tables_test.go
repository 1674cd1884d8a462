package main

import (
	"encoding/json"
	"testing"

	"switchyard/cmd/switchyard/wpt"
)

// TestDataTables runs the tables of the web-platform tests that Go modules carry, each as one Worker.
func TestDataTables(t *testing.T) {
	p := serve(t, t.TempDir(), "--config", wptConfigFile(t))
	p.createNamespace("production")
	p.deploy(customers("production")+"has", script(`export default { fetch: (r) => new Response(r.url.split("/").pop() in globalThis) }`))
	for _, table := range wpt.DataTables {
		t.Run(table.Name, func(t *testing.T) {
			if _, has := p.get("http://has.example.com/" + table.Global); has != "true" {
				t.Skipf("Workers have no %s yet", table.Global)
			}
			data, err := table.Data()
			if err != nil {
				t.Skip(err)
			}
			p.deploy(customers("production")+table.Name, worker{main: "index.js", modules: map[string]string{
				"index.js": table.Worker, "data.json": string(data)}})
			status, body := p.get("http://" + table.Name + ".example.com/")
			var verdict wpt.Verdict
			if err := json.Unmarshal([]byte(body), &verdict); err != nil || status != 200 {
				t.Fatalf("%d %.500s: %v", status, body, err)
			}
			t.Logf("%d of %d pass", verdict.Total-len(verdict.Failures), verdict.Total)
			for _, f := range verdict.Failures {
				t.Error(f)
			}
		})
	}
}
