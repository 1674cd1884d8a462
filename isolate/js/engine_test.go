package js

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestPreludeIsOneFunction(t *testing.T) {
	p := Prelude()
	if !strings.HasPrefix(p, "(function (sw) {") || !strings.HasSuffix(p, "})") {
		t.Errorf("the prelude is not a function expression: %.40q … %q", p, p[len(p)-10:])
	}
	files, err := prelude.ReadDir("prelude")
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for _, f := range files {
		text, err := prelude.ReadFile("prelude/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		i := strings.Index(p[at:], string(text))
		if i < 0 {
			t.Fatalf("%s is missing or out of order", f.Name())
		}
		at += i + len(text)
	}
}

func TestEngine(t *testing.T) {
	binary, err := Engine()
	if errors.Is(err, ErrNoEngine) {
		t.Skip(err)
	}
	if err != nil || !bytes.HasPrefix(binary, []byte("\x00asm")) {
		t.Errorf("the engine is no wasm module: %v", err)
	}
}
