package isolate

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var updateNode = flag.Bool("update-node", false, "write what Node says into testdata/node")

func nodeSpec(source string) *Spec {
	s := jsSpec(source)
	s.Node = NodeGlobals
	return s
}

// nodeStory is a part of a file in testdata/node: imports and statements, which say() what they
// find, then "----" and all that was said when Node itself ran it.
type nodeStory struct{ name, code, said string }

func readNodeStories(t *testing.T, path string) (stories []nodeStory) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for part := range strings.SplitSeq("\n"+string(text), "\n=== ") {
		if name, rest, ok := strings.Cut(part, "\n"); ok && name != "" {
			code, said, _ := strings.Cut(rest, "\n----\n")
			stories = append(stories, nodeStory{name, code, strings.TrimRight(said, "\n")})
		}
	}
	return stories
}

// split separates the imports, each a line, from the statements.
func (s *nodeStory) split() (imports, body string) {
	for line := range strings.Lines(s.code + "\n") {
		if strings.HasPrefix(line, "import ") {
			imports += line
		} else {
			body += line
		}
	}
	return imports, body
}

const nodeSay = `const said = [], say = (...values) => said.push(values.map((v) => typeof v === "string" ? v : JSON.stringify(v) ?? String(v)).join(" "));
const thrown = (fn) => { try { return fn(); } catch (e) { return e.name + ": " + e.message + (e.code ? " " + e.code : ""); } };
`

// inNode runs the story in Node.
func (s *nodeStory) inNode(t *testing.T) string {
	imports, body := s.split()
	path := filepath.Join(t.TempDir(), "story.mjs")
	source := imports + nodeSay + body + "\nconsole.log(said.join(\"\\n\"))\n"
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("node", path).CombinedOutput()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, out)
	}
	return strings.TrimRight(string(out), "\n")
}

// TestNodeModules: what the modules of Node's say here and what they say in Node are the same.
func TestNodeModules(t *testing.T) {
	files, err := filepath.Glob("testdata/node/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no stories", err)
	}
	for _, file := range files {
		stories := readNodeStories(t, file)
		if *updateNode {
			writeNodeStories(t, file, stories)
		}
		for _, s := range stories {
			t.Run(filepath.Base(file)+"/"+s.name, func(t *testing.T) {
				imports, body := s.split()
				p := newTestPool(t, nodeSpec(imports+handler(nodeSay+body+"\nreturn new Response(said.join(\"\\n\"))")))
				wants(t, p, new(fakeHost), testRequest("GET", "http://a.test/", ""), "200 "+s.said)
			})
		}
	}
}

func writeNodeStories(t *testing.T, path string, stories []nodeStory) {
	var out bytes.Buffer
	for i := range stories {
		s := &stories[i]
		s.said = s.inNode(t)
		out.WriteString("=== " + s.name + "\n" + s.code + "\n----\n" + s.said + "\n\n")
	}
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestNodeFlag: what a version may import follows from what it is given.
func TestNodeFlag(t *testing.T) {
	const als = `import { AsyncLocalStorage } from "node:async_hooks";`
	for _, s := range []struct {
		name, source string
		node         NodeCompat
		want         string
	}{
		{"none", `import "node:buffer"; ` + handler(``), NodeNone, `error: No such module "node:buffer".`},
		{"none, dynamic", handler(`return new Response(await import("buffer").catch(String))`), NodeNone, `200 Error: No such module "buffer".`},
		{"als", als + handler(`return new Response(typeof AsyncLocalStorage)`), NodeALS, "200 function"},
		{"als only", `import "node:util"; ` + handler(``), NodeALS, `error: No such module "node:util".`},
		{"modules", `import { Buffer as B } from "buffer"; ` + handler(`return new Response(B.from("x").toString("hex") + typeof Buffer + typeof process)`), NodeModules, "200 78undefinedundefined"},
		{"globals", handler(`return new Response(Buffer.from("x").toString("hex") + typeof process.env)`), NodeGlobals, "200 78object"},
		{"computed globals", handler(`const g = (...parts) => typeof globalThis[parts.join("")]; return new Response([g("Buf", "fer"), g("pro", "cess"), g("set", "Immediate"), g("glo", "bal")].join())`), NodeGlobals, "200 function,object,function,object"},
		{"dynamic", handler(`const { join } = await import("node:path"); return new Response(join("/a", "..", "b"))`), NodeGlobals, "200 /b"},
		{"unknown", handler(`return new Response(await import("node:nope").catch(String))`), NodeGlobals, `200 Error: No such module "node:nope".`},
		{"above", handler(`return new Response(await import("node:../prelude").catch(String))`), NodeGlobals, `200 Error: No such module "node:../prelude".`},
		{"internal", handler(`return new Response(await import("node-internal:runtime").catch(String))`), NodeGlobals, `200 Error: No such module "node-internal:runtime".`},
		{"internal, from a module named as one of Node's", `await import("node:own.js"); ` + handler(``), NodeGlobals, `error: No such module "node-internal:runtime".`},
		{"own module first", `import v from "node:own"; ` + handler(`return new Response(v)`), NodeGlobals, "200 mine"},
	} {
		t.Run(s.name, func(t *testing.T) {
			spec := jsSpec(s.source)
			spec.Node = s.node
			spec.Modules = append(spec.Modules, Module{Name: "node:own", Kind: ModuleText, Source: []byte("mine")},
				Module{Name: "node:own.js", Source: []byte(`import "node-internal:runtime"`)})
			p, err := jsRuntime(t).NewPool(t.Context(), spec)
			if err != nil {
				if want, ok := strings.CutPrefix(s.want, "error: "); !ok || !strings.Contains(err.Error(), want) {
					t.Fatalf("got error %v; want %q", err, s.want)
				}
				return
			}
			defer p.Close()
			wants(t, p, new(fakeHost), testRequest("GET", "http://a.test/", ""), s.want)
		})
	}
}

// TestFrameOfRequest: an asynchronous context stays with its request, whoever settles what it waits for.
func TestFrameOfRequest(t *testing.T) {
	spec := nodeSpec(`import { AsyncLocalStorage } from "node:async_hooks";
const als = new AsyncLocalStorage();
let open, shared;
export default { async fetch(request) {
	const was = als.getStore();
	if (request.url.endsWith("/open")) {
		open();
		await null;
		return new Response([was, als.getStore()].join());
	}
	return als.run("first", async () => {
		shared = new Promise((r) => (open = r));
		console.log("waits");
		await Promise.race([shared, scheduler.wait(5000)]);
		await null;
		return new Response([als.getStore(), Reflect.ownKeys(shared).length].join());
	});
} }`)
	spec.MaxIsolates = 1
	p := newTestPool(t, spec)
	h, done := new(fakeHost), make(chan string, 1)
	go func() {
		got, err := ask(p, h, testRequest("GET", "http://a.test/wait", ""))
		if err != nil {
			got = err.Error()
		}
		done <- got
	}()
	waitFor(t, "the first request to wait", func() bool { return strings.Contains(h.log(), "waits") })
	wants(t, p, new(fakeHost), testRequest("GET", "http://a.test/open", ""), "200 ,")
	if got := <-done; got != "200 first,0" {
		t.Errorf("the first request got %q", got)
	}
}
