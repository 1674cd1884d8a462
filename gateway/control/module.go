package control

import (
	"bytes"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"switchyard/isolate"
)

// moduleTypes says what a part is by its content type. Types that are not here are data.
// CommonJS has the type of plain JavaScript and is not told apart from it: a module that
// uses `module` fails when it is evaluated, by name.
var moduleTypes = map[string]isolate.ModuleKind{
	"application/javascript+module": isolate.ModuleES,
	"text/javascript+module":        isolate.ModuleES,
	"application/javascript":        isolate.ModuleES,
	"text/javascript":               isolate.ModuleES,
	"application/wasm":              isolate.ModuleWasm,
	"text/plain":                    isolate.ModuleText,
	"text/html":                     isolate.ModuleText,
	"application/json":              isolate.ModuleJSON,
	"application/source-map":        isolate.ModuleMap,
}

// contentTypes is the way back.
var contentTypes = map[isolate.ModuleKind]string{
	isolate.ModuleES:   "application/javascript+module",
	isolate.ModuleJS:   "application/javascript",
	isolate.ModuleWasm: "application/wasm",
	isolate.ModuleText: "text/plain",
	isolate.ModuleData: "application/octet-stream",
	isolate.ModuleJSON: "application/json",
	isolate.ModuleMap:  "application/source-map",
}

// moduleName is the name that a part's module is imported by. The clients differ:
//
//	name="sub/a.mjs"    filename="sub/a.mjs"   wrangler: either; the Go library's FileName would drop "sub/"
//	name="files"        filename="sub/a.mjs"   Go SDK, TypeScript SDK 5 and 6; "0", "1" in 4.5
//	name="files[]"      filename="a.mjs"       TypeScript SDK 7
//	name="files[sub/a]" filename="a"           TypeScript SDK 7, files as an object
//	name="script"       filename="main.mjs"    the public templates: main_module says which
//
// A leading "./", as wrangler gives to modules that it renamed, is dropped.
func moduleName(p part, main string) string {
	name := p.name
	if key, ok := strings.CutPrefix(p.name, "files["); ok && key != "]" {
		name = strings.TrimSuffix(key, "]")
	} else if p.filename != "" && (name == "files" || ok || isDigits(name)) {
		name = p.filename
	}
	name = strings.TrimPrefix(name, "./")
	if file := strings.TrimPrefix(p.filename, "./"); file == main && main != "" {
		return main
	}
	return name
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// modulesOf makes modules of parts. main is the main module's name, classic says that it is in
// service-worker syntax.
func modulesOf(parts form, main string, classic bool) ([]isolate.Module, error) {
	seen := make(map[string]bool, len(parts))
	modules := make([]isolate.Module, 0, len(parts))
	for _, p := range parts {
		name := moduleName(p, main)
		if err := checkModuleName(name); err != nil {
			return nil, err
		}
		if seen[name] {
			return nil, refuse("module " + quote(name) + " is uploaded twice")
		}
		seen[name] = true
		kind, err := moduleKind(p, name, name == main, classic)
		if err != nil {
			return nil, err
		}
		modules = append(modules, isolate.Module{Name: name, Kind: kind, Source: p.body})
	}
	if main == "" && len(parts) == 0 {
		return nil, nil // static assets alone
	}
	if main == "" {
		return nil, refuse("metadata names no main_module and no body_part, and the upload has " + partNames(parts, main))
	}
	if !seen[main] {
		return nil, refuse("main module " + quote(main) + " is not in the upload, which has " + partNames(parts, main))
	}
	return modules, nil
}

// partNames lists what was uploaded, for the message that it is not what was promised.
func partNames(parts form, main string) string {
	if len(parts) == 0 {
		return "no modules"
	}
	var names []string
	for i, p := range parts {
		if i == 8 {
			names = append(names, fmt.Sprintf("and %d more", len(parts)-i))
			break
		}
		names = append(names, quote(moduleName(p, main)))
	}
	return strings.Join(names, ", ")
}

// checkModuleName refuses names that mean something to a file system or a terminal: modules
// are written to disk by whoever downloads them, and names appear in stacks and logs.
func checkModuleName(name string) error {
	bad := func(why string) error { return refuse("module name " + quote(name) + " " + why) }
	switch {
	case name == "":
		return bad("is empty")
	case !utf8.ValidString(name):
		return bad("is not valid UTF-8")
	case strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 || r == 0x7f || r == '\\' || r == 0xfffd }):
		return bad("holds a backslash or a control character")
	case strings.HasPrefix(name, "/") || path.Clean(name) != name || name == ".." || strings.HasPrefix(name, "../"):
		return bad("is not a clean relative path")
	}
	return nil
}

var wasmMagic = []byte("\x00asm")

func moduleKind(p part, name string, main, classic bool) (isolate.ModuleKind, error) {
	kind, known := moduleTypes[p.contentType]
	switch {
	case strings.HasPrefix(p.contentType, "text/x-python"):
		return 0, refuse("module " + quote(name) + ": Python is not supported")
	case !known:
		kind = kindByName(name, p.body)
	}
	if main && classic {
		kind = isolate.ModuleJS
	}
	if main && kind != isolate.ModuleES && kind != isolate.ModuleJS && kind != isolate.ModuleWasm {
		return 0, refuse("main module " + quote(name) + " has Content-Type " + quote(p.contentType) + ": it must be JavaScript or wasm")
	}
	return kind, checkSource(name, kind, p.body)
}

// kindByName helps clients that label every file application/octet-stream, as curl does.
func kindByName(name string, body []byte) isolate.ModuleKind {
	switch path.Ext(name) {
	case ".js", ".mjs":
		return isolate.ModuleES
	case ".wasm":
		if bytes.HasPrefix(body, wasmMagic) {
			return isolate.ModuleWasm
		}
	}
	return isolate.ModuleData
}

// checkSource refuses text that is not UTF-8: UTF-16, or half of a surrogate pair.
func checkSource(name string, kind isolate.ModuleKind, body []byte) error {
	switch kind {
	case isolate.ModuleData, isolate.ModuleWasm:
		return nil
	case isolate.ModuleES, isolate.ModuleJS:
		if len(bytes.TrimSpace(body)) == 0 {
			return refuse("module " + quote(name) + " is empty")
		}
	}
	if at := invalidUTF8(body); at >= 0 {
		return refuse(fmt.Sprintf("module %s is not valid UTF-8 at byte %d", quote(name), at))
	}
	return nil
}

// invalidUTF8 returns the offset of the first byte that is not UTF-8, -1 when there is none.
func invalidUTF8(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	for at := 0; ; {
		r, n := utf8.DecodeRune(b[at:])
		if r == utf8.RuneError && n <= 1 {
			return at
		}
		at += n
	}
}
