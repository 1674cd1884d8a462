package js

import (
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
)

// engine holds engine.wasm, node/*.js and intl/* once `make engine` has run; the README beside it keeps the directory.
//
//go:embed engine
var engine embed.FS

//go:embed prelude/*.js
var prelude embed.FS

// ErrNoEngine is returned by Engine when the binary was built without it.
var ErrNoEngine = errors.New("js: this binary was built without the JavaScript engine: run make engine, then build again")

// Engine returns the merged engine module, or ErrNoEngine.
func Engine() ([]byte, error) {
	binary, err := engine.ReadFile("engine/engine.wasm")
	if err != nil {
		return nil, ErrNoEngine
	}
	return binary, nil
}

// NodeSource returns the text of a module of Node's, by its name with "node:"; nil: there is none.
func NodeSource(name string) []byte {
	path, ok := strings.CutPrefix(name, "node:")
	if !ok {
		return nil
	}
	source, err := engine.ReadFile("engine/node/" + path + ".js")
	if err != nil {
		return nil
	}
	return source
}

// IntlModule is the name of the module that Intl is in, which the prelude loads when it is first used.
const IntlModule = "node-internal:intl"

// IntlSource returns its text.
func IntlSource() []byte {
	source, err := engine.ReadFile("engine/intl/intl.js")
	if err != nil {
		panic("BUG: js: " + err.Error())
	}
	return source
}

// IntlData returns a section of a locale's data, as JSON, by "de-DE.core"; nil: there is none.
func IntlData(key string) []byte {
	data, err := engine.ReadFile("engine/intl/" + key + ".json")
	if err != nil {
		return nil
	}
	return data
}

// IntlLocales are the locales that there is data for.
func IntlLocales() (locales []string) {
	files, err := fs.Glob(engine, "engine/intl/*.core.json")
	if err != nil {
		panic("BUG: js: " + err.Error())
	}
	for _, file := range files {
		locales = append(locales, strings.TrimSuffix(strings.TrimPrefix(file, "engine/intl/"), ".core.json"))
	}
	return locales
}

// NodeIdentity is a hash of all that NodeSource and Intl can return.
var NodeIdentity = sync.OnceValue(func() []byte {
	h := sha256.New()
	err := fs.WalkDir(engine, "engine", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".js") && !strings.HasSuffix(path, ".json") {
			return err
		}
		source, err := engine.ReadFile(path)
		fmt.Fprintf(h, "%q %q", path, source)
		return err
	})
	if err != nil {
		panic("BUG: js: " + err.Error())
	}
	return h.Sum(nil)
})

// Prelude returns the prelude as INIT takes it: one function expression, its body all files
// in the order of their names.
func Prelude() string {
	files, err := fs.Glob(prelude, "prelude/*.js")
	if err != nil {
		panic("BUG: js: " + err.Error())
	}
	var source strings.Builder
	source.WriteString("(function (sw) { \"use strict\";\n")
	for _, name := range files {
		text, err := prelude.ReadFile(name)
		if err != nil {
			panic("BUG: js: " + err.Error())
		}
		source.Write(text)
		source.WriteByte('\n')
	}
	source.WriteString("})")
	return source.String()
}
