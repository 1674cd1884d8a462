package isolate

import (
	"encoding/json"
	"fmt"

	"switchyard/isolate/abi"
)

// guestEnv is a version's env by name, read once.
type guestEnv map[string]envEntry

// envEntry is text, or the index of a binding that can be called; -1 is none.
type envEntry struct {
	text    []byte
	binding int
}

// parseEnv reads Spec.Env.
func parseEnv(list []byte) (guestEnv, error) {
	var bindings []struct {
		Name, Type, Text string
		JSON             json.RawMessage
		Index            *int
	}
	if len(list) > 0 {
		if err := json.Unmarshal(list, &bindings); err != nil {
			return nil, fmt.Errorf("env: %w", err)
		}
	}
	env := guestEnv{}
	for _, b := range bindings {
		switch {
		case b.Index != nil:
			env[b.Name] = envEntry{binding: *b.Index}
		case b.Type == "json":
			env[b.Name] = envEntry{text: b.JSON, binding: -1}
		default:
			env[b.Name] = envEntry{text: []byte(b.Text), binding: -1}
		}
	}
	return env, nil
}

// param is the call's own entry, laid over env. Params that are not an object are a bug of the engine.
func (c *Call) param(name []byte) ([]byte, bool) {
	w := &c.state.wasm
	if w.params == nil {
		if err := json.Unmarshal(c.Params, &w.params); err != nil {
			panic("BUG: parameters are not a JSON object: " + err.Error())
		}
	}
	raw, ok := w.params[string(name)]
	if !ok {
		return nil, false
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []byte(text), true
	}
	return raw, true
}

// guestOf is the Worker that is running.
func (is *Isolate) guestOf() *wasmGuest {
	g, _ := is.meter.call.state.pool.guest.(*wasmGuest)
	return g
}

// guestEnvText: name_ptr, name_len, ptr, cap.
func guestEnvText(is *Isolate, c *Call, a arguments) int64 {
	name := is.mustBytes(a.u32(1), a.u32(2))
	if c != nil && len(c.Params) > 0 {
		if text, ok := c.param(name); ok {
			return is.giveGuest(text, a.u32(3), a.u32(4))
		}
	}
	e, ok := is.guestOf().env[string(name)]
	if !ok || e.binding >= 0 {
		return code(abi.NotFound)
	}
	return is.giveGuest(e.text, a.u32(3), a.u32(4))
}

// guestBinding: name_ptr, name_len.
func guestBinding(is *Isolate, _ *Call, a arguments) int64 {
	e, ok := is.guestOf().env[string(is.mustBytes(a.u32(1), a.u32(2)))]
	if !ok || e.binding < 0 {
		return code(abi.NotFound)
	}
	return int64(e.binding)
}

// guestLog: level, ptr, len.
func guestLog(is *Isolate, _ *Call, a arguments) int64 {
	line := is.mustBytes(a.u32(2), a.u32(3))
	if a.u32(1) > uint32(LogError) {
		return code(abi.BadArg)
	}
	is.logFor(is.meter.call, LogLevel(a.u32(1)), line)
	return code(abi.OK)
}

func guestNow(is *Isolate, _ *Call, _ arguments) int64 { return is.now().UnixMilli() }

// maxRandom bounds one call, as getRandomValues does.
const maxRandom = 64 << 10

// guestRandom: ptr, len. There is none at module scope: every clone would have the same.
func guestRandom(is *Isolate, _ *Call, a arguments) int64 {
	p := is.mustBytes(a.u32(1), a.u32(2))
	switch {
	case is.meter.call.state.id == 0:
		return code(abi.OutOfScope)
	case len(p) > maxRandom:
		return code(abi.BadArg)
	}
	is.randomise(p)
	return code(abi.OK)
}
