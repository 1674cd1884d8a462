package js

import (
	"embed"
	"errors"
	"io/fs"
	"strings"
)

// engine holds engine.wasm once `make engine` has run; the README beside it keeps the directory.
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
