//go:build wasip1

package worker

import (
	"encoding/json"
	"fmt"
	"unsafe"
)

// Env returns a plain_text, secret_text or json binding, or a parameter of this call, as text.
func Env(name string) (text string, ok bool) {
	b, n := collect(make([]byte, 256), func(p unsafe.Pointer, room uint32) int32 {
		return envText(current, atText(name), size(name), p, room)
	})
	return string(b), n >= 0
}

// EnvJSON decodes a json binding into v.
func EnvJSON(name string, v any) error {
	text, ok := Env(name)
	if !ok {
		return fmt.Errorf("there is no binding %s", name)
	}
	return json.Unmarshal([]byte(text), v)
}

// Level orders log lines.
type Level uint32

const (
	Debug Level = iota
	Info
	Warn
	Error
)

// Log writes one line to the Worker's log. Standard output and error go there, too, as Info.
func Log(level Level, line string) { logLine(current, uint32(level), atText(line), size(line)) }
