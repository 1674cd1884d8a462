package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"unicode/utf16"
)

// badInput is one body for the control API. want is text of the refusal, which must be a 4xx; ""
// lets it be accepted too, as long as it is answered.
type badInput struct {
	name, method, path, contentType string
	body                            []byte
	want                            string
}

const boundaryHeader = "multipart/form-data; boundary=BOUND"

// rawForm is a form written by hand: heads and bodies of parts in turn.
func rawForm(parts ...string) []byte {
	var b bytes.Buffer
	for i := 0; i+1 < len(parts); i += 2 {
		fmt.Fprintf(&b, "--BOUND\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n", parts[i], parts[i+1])
	}
	b.WriteString("--BOUND--\r\n")
	return b.Bytes()
}

const (
	metadataPart = `name="metadata"`
	modulePart   = "name=\"i.js\"; filename=\"i.js\"\r\nContent-Type: application/javascript+module"
	goodMetadata = `{"main_module":"i.js"}`
	goodModule   = `export default { fetch() { return new Response("changed") } }`
)

func gzipBomb(n int) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	zeros := make([]byte, 1<<20)
	for range n >> 20 {
		w.Write(zeros)
	}
	w.Close()
	return b.Bytes()
}

func utf16le(text string) []byte {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return b
}

// badUploads are uploads of the script that is there already.
func badUploads() []badInput {
	put := func(name, contentType string, body []byte, want string) badInput {
		return badInput{name, "PUT", customers("production") + "a", contentType, body, want}
	}
	form := func(name, want string, parts ...string) badInput {
		return put(name, boundaryHeader, rawForm(parts...), want)
	}
	metadata := func(name, doc, want string) badInput {
		return form(name, want, metadataPart, doc, modulePart, goodModule)
	}
	source := func(name, text, want string) badInput {
		return form(name, want, metadataPart, goodMetadata, modulePart, text)
	}
	nested := func(open, shut string, n int) string { return strings.Repeat(open, n) + strings.Repeat(shut, n) }
	all := []badInput{
		put("no end boundary", boundaryHeader, []byte("--BOUND\r\nContent-Disposition: form-data; name=\"metadata\"\r\n\r\n{}"), "multipart"),
		put("no boundary", "multipart/form-data", []byte("x"), "boundary"),
		put("100,000 parts", boundaryHeader, bytes.Repeat([]byte("--BOUND\r\nContent-Disposition: form-data; name=\"m\"\r\n\r\nx\r\n"), 100_000), "parts"),
		form("a module twice", "twice", metadataPart, goodMetadata, modulePart, goodModule, modulePart, goodModule),
		form("a Windows path", "backslash", metadataPart, goodMetadata, modulePart, goodModule, `name="C:\\x.js"; filename="C:\\x.js"`, "1"),
		form("a NUL in a name", "", metadataPart, goodMetadata, modulePart, goodModule, "name=\"a\x00b\"", "1"),
		form("a name of 10 KB", "512", metadataPart, goodMetadata, modulePart, goodModule, `name="`+strings.Repeat("x", 10_000)+`"`, "1"),
		form("no metadata", "metadata", modulePart, goodModule),
		put("64 MiB and a byte", "application/javascript+module", make([]byte, 64<<20+1), "exceeds"),
		put("an unknown type", "application/zip", []byte("PK"), "Content-Type"),
		metadata("nesting of 100,000", `{"a":`+nested("[", "]", 100_000)+`}`, "nests deeper"),
		metadata("nesting of 100,000, open", strings.Repeat(`{"a":`, 100_000), "nests deeper"),
		metadata("a number past float64", `{"main_module":"i.js","limits":{"cpu_ms":1e999}}`, "cpu_ms"),
		metadata("a fraction", `{"main_module":"i.js","limits":{"cpu_ms":1.5}}`, "cpu_ms"),
		metadata("bytes that are not UTF-8", "{\"main_module\":\"i.js\",\"x\":\"\xff\"}", "UTF-8"),
		metadata("a list", `[]`, "array"),
		metadata("null", `null`, "main_module"),
		metadata("a number for a name", `{"main_module":1}`, "main_module"),
		metadata("bindings that are no list", `{"main_module":"i.js","bindings":{}}`, "bindings"),
		metadata("a binding called __proto__", `{"main_module":"i.js","bindings":[{"type":"plain_text","name":"__proto__","text":"x"}]}`, "bindings[0].name"),
		metadata("10,000 bindings", `{"main_module":"i.js","bindings":[`+strings.TrimSuffix(strings.Repeat(`{"type":"plain_text","name":"A","text":"x"},`, 10_000), ",")+`]}`, "bindings"),
		metadata("two megabytes", `{"main_module":"i.js","x":"`+strings.Repeat("x", 2<<20)+`"}`, "metadata"),
		metadata("a date that is none", `{"main_module":"i.js","compatibility_date":"9999-99-99"}`, "compatibility_date"),
		metadata("an unknown main module", `{"main_module":"j.js"}`, `"j.js"`),
		metadata("main_module in the parent folder", `{"main_module":"../i.js"}`, "../i.js"),
		source("UTF-16", string(utf16le(goodModule)), "UTF-8"),
		source("a lone surrogate", "export default '\xed\xa0\x80'", "UTF-8"),
		source("a byte order mark alone", "\ufeff", ""),
		source("bytecode", "\x05\x0c\x01\x02\x03\x04bytecode\x00\x00", "SyntaxError"),
		source("a regular expression of 10 MB", "/"+strings.Repeat("(a|b)*", 10<<20/6)+`/; export default { fetch() {} }`, ""),
		source("a switch of 50,000 cases", "export default { fetch(r) { switch (r.x) {"+caseList(50_000)+"} return new Response('') } }", ""),
		source("a million nested brackets", nested("[", "]", 1_000_000), "recursion"),
		source("a long chain of operators", "export default { fetch() { return "+strings.Repeat("1+", 500_000)+"1 } }", ""),
		form("an import of itself", "", metadataPart, goodMetadata, modulePart, `import "./i.js"; `+goodModule),
		form("a large source map", "", metadataPart, goodMetadata, modulePart, goodModule+"\n//# sourceMappingURL=i.js.map",
			"name=\"i.js.map\"; filename=\"i.js.map\"\r\nContent-Type: application/source-map", `{"version":3,"sources":["x"],"mappings":"`+strings.Repeat("AAAA;", 4<<20)+`"}`),
	}
	return append(all, badWasm(put)...)
}

func caseList(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "case %d:", i)
	}
	return b.String()
}

// badWasm are modules as the main module, each damaged in another way.
func badWasm(put func(name, contentType string, body []byte, want string) badInput) []badInput {
	section := func(id byte, content ...byte) []byte { return append([]byte{id, byte(len(content))}, content...) }
	module := func(sections ...[]byte) []byte {
		return append([]byte("\x00asm\x01\x00\x00\x00"), bytes.Join(sections, nil)...)
	}
	wasm := func(name string, body []byte) badInput {
		return put("wasm: "+name, "application/wasm", body, "worker.wasm")
	}
	types, functions := section(1, 1, 0x60, 0, 0), section(3, 1, 0)
	return []badInput{
		wasm("empty", module()[:4]),
		wasm("another version", []byte("\x00asm\x02\x00\x00\x00")),
		wasm("not wasm", []byte("MZ\x90\x00 not wasm at all")),
		wasm("an overlong length", append(module(), 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00)),
		wasm("a section past the end", append(module(), 1, 0xff, 0xff, 0xff, 0x0f)),
		wasm("a section twice", module(types, types)),
		wasm("four billion functions", append(module(types), 3, 5, 0xff, 0xff, 0xff, 0xff, 0x0f)),
		wasm("a memory past every limit", module(section(5, 1, 0, 0x81, 0x80, 0x04))),
		wasm("two memories", module(section(5, 2, 0, 1, 0, 1))),
		wasm("a shared memory", module(section(5, 1, 3, 1, 2))),
		wasm("memory64", module(section(5, 1, 4, 1))),
		wasm("a table of a billion", module(section(4, 1, 0x70, 0, 0x80, 0x94, 0xeb, 0xdc, 0x03))),
		wasm("an import of nothing", module(types, section(2, 1, 3, 'e', 'n', 'v', 1, 'f', 0, 0))),
		wasm("60,000 nested blocks", nestedBlocks(types, functions, 60_000)),
		wasm("a start that traps", module(types, functions, section(8, 0), section(10, 1, 3, 0, 0x00, 0x0b))),
		wasm("no exports", module(types, functions, section(10, 1, 2, 0, 0x0b))),
	}
}

// leb128 is how wasm writes a length.
func leb128(n int) (b []byte) {
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

func nestedBlocks(types, functions []byte, n int) []byte {
	body := append([]byte{0}, bytes.Repeat([]byte{0x02, 0x40}, n)...)
	body = append(body, bytes.Repeat([]byte{0x0b}, n+1)...)
	code := append([]byte{1}, append(leb128(len(body)), body...)...)
	m := append([]byte("\x00asm\x01\x00\x00\x00"), types...)
	m = append(append(m, functions...), 10)
	return append(append(m, leb128(len(code))...), code...)
}

// badBodies are JSON for the other endpoints.
func badBodies() []badInput {
	a := customers("production") + "a"
	json := func(name, method, path, body, want string) badInput {
		return badInput{name, method, path, "application/json", []byte(body), want}
	}
	deep := strings.Repeat("[", 100_000)
	return []badInput{
		json("no body", "POST", namespaces, "", "empty"),
		json("not JSON", "POST", namespaces, "{", "offset"),
		json("two documents", "POST", namespaces, `{"name":"x"}{"name":"y"}`, "offset"),
		json("a namespace's name", "POST", namespaces, `{"name":"a/b"}`, "name"),
		json("a namespace of 64 letters", "POST", namespaces, `{"name":"`+strings.Repeat("x", 64)+`"}`, "name"),
		json("a namespace's name is a number", "POST", namespaces, `{"name":7}`, "name"),
		json("a namespace in depth", "POST", namespaces, deep, "nests deeper"),
		json("two megabytes", "POST", namespaces, `{"name":"`+strings.Repeat("x", 2<<20)+`"}`, "exceeds"),
		json("trust is a text", "PATCH", namespaces+"/production", `{"trusted_workers":"yes"}`, "trusted_workers"),
		json("a script's name", "PUT", customers("production")+"a%2Fb", goodModule, ""),
		json("a secret without a text", "PUT", a+"/secrets", `{"name":"S","type":"secret_text"}`, "text"),
		json("a secret's type", "PUT", a+"/secrets", `{"name":"S","type":"secret_key","text":"x"}`, "secret_key"),
		json("a secret's name", "PUT", a+"/secrets", `{"name":"__proto__","type":"secret_text","text":"x"}`, "name"),
		json("secrets that are a list", "PATCH", a+"/secrets-bulk", `{"secrets":[]}`, "secrets"),
		json("tags that are none", "PUT", a+"/tags", `{"a":1}`, "array"),
		json("nine tags", "PUT", a+"/tags", `["1","2","3","4","5","6","7","8","9"]`, "tags"),
		json("a tag with a comma", "PUT", a+"/tags", `["a,b"]`, "tags"),
		json("a schedule that is none", "PUT", a+"/schedules", `[{"cron":"every day"}]`, "cron"),
		json("101 schedules", "PUT", a+"/schedules", "["+strings.TrimSuffix(strings.Repeat(`{"cron":"* * * * *"},`, 101), ",")+"]", "schedules"),
		json("no versions", "POST", a+"/deployments", `{"strategy":"percentage","versions":[]}`, "versions"),
		json("percentages", "POST", a+"/deployments", `{"versions":[{"version_id":"x","percentage":1e999}]}`, "percentage"),
		json("an unknown version", "POST", a+"/deployments", `{"versions":[{"version_id":"x","percentage":100}]}`, "version"),
		json("another strategy", "POST", a+"/deployments", `{"strategy":"canary","versions":[]}`, "strategy"),
		json("a domain that is a pattern", "PUT", "/workers/domains", `{"hostname":"*.example.com","service":"plain"}`, "hostname"),
		json("a domain of nobody", "PUT", "/workers/domains", `{"hostname":"x.example.com","service":"nobody"}`, "nobody"),
		json("a token without policies", "POST", "/tokens", `{"name":"x","policies":[]}`, "policies"),
		json("a token's policies", "POST", "/tokens", `{"name":"x","policies":[{"effect":"allow","permission_groups":[{"id":"?"}],"resources":{"com.cloudflare.api.account.*":"*"}}]}`, "permission_groups"),
		json("an unknown path", "POST", "/workers/nothing", `{}`, "No route"),
		json("another method", "POST", a, `{}`, "not available"),
		json("a limit that is a text", "GET", customers("production")+"?limit=many", "", "limit"),
		json("a cursor of somebody else", "GET", customers("production")+"?cursor=%25%25", "", "cursor"),
		json("tags without yes or no", "DELETE", customers("production")+"?tags=a", "", "tags"),
		json("a delete without a filter", "DELETE", customers("production"), "", "filter"),
	}
}

// TestBadInput: each is answered by a 4xx that says what is wrong, nothing is changed by it, and
// the server needs no more memory than the largest of them.
func TestBadInput(t *testing.T) {
	p := serve(t, t.TempDir())
	p.createNamespace("production")
	p.deploy(customers("production")+"a", versioned(1))
	state := func() string {
		var all strings.Builder
		for _, at := range []string{namespaces, "/workers/scripts", customers("production"), customers("production") + "a/versions", customers("production") + "a/deployments", customers("production") + "a/settings", "/workers/domains", "/tokens"} {
			_, e := p.api("GET", at, "", nil)
			all.Write(append(e.Result, '\n'))
		}
		return all.String()
	}
	before := state()
	for _, b := range append(badUploads(), badBodies()...) {
		status, e := p.api(b.method, b.path, b.contentType, b.body)
		switch {
		case status >= 500 || b.want != "" && (status < 400 || !strings.Contains(e.message(), b.want)):
			t.Errorf("%s: %d %.200s, want a 4xx with %q", b.name, status, e.message(), b.want)
		case status < 400: // it was no fault after all: back to what was there
			p.deploy(customers("production")+"a", versioned(1))
			before = state()
		case state() != before:
			t.Errorf("%s: %d, and something was changed", b.name, status)
			before = state()
		}
	}
	p.wantsEncodingsRefused()
	p.wants("http://a.example.com/", http.StatusOK, "v1")
	if peak := p.peakMemory(); peak > 1500 {
		t.Errorf("the server used %d MB at its peak", peak)
	}
}

// wantsEncodingsRefused sends compressed bodies, bombs among them: none is inflated.
func (p *platform) wantsEncodingsRefused() {
	p.t.Helper()
	bomb := gzipBomb(1 << 30)
	for _, encoding := range []string{"gzip", "deflate", "br", "zstd", "gzip, gzip"} {
		r, err := http.NewRequest("PUT", p.control+"/accounts/"+account+customers("production")+"a", bytes.NewReader(bomb))
		if err != nil {
			p.t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+p.token)
		r.Header.Set("Content-Type", "application/javascript+module")
		r.Header.Set("Content-Encoding", encoding)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			p.t.Fatal(err)
		}
		if body := readAll(p.t, response.Body); response.StatusCode != http.StatusUnsupportedMediaType || !strings.Contains(body, "Content-Encoding") {
			p.t.Errorf("%s: %d %s", encoding, response.StatusCode, body)
		}
	}
}

// peakMemory is the most that the process has had resident, in MB: VmHWM, proc(5).
func (p *platform) peakMemory() (mb int) {
	p.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	if _, err := fmt.Sscanf(rest, "%d kB", &mb); err != nil {
		p.t.Fatal(err)
	}
	return mb / 1024
}
