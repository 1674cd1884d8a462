package main

import (
	"bytes"
	varint "encoding/binary"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// loops is a wasm Worker that takes the compiler long for its size: functions of 1,900 loops.
func loops(functions int) string {
	uleb := func(n int) []byte { return varint.AppendUvarint(nil, uint64(n)) }
	b := []byte("\x00asm\x01\x00\x00\x00\x01\x05\x01\x60\x01\x7f\x00")
	section := func(id byte, content ...[]byte) {
		all := bytes.Join(content, nil)
		b = append(append(append(b, id), uleb(len(all))...), all...)
	}
	body := append(append([]byte{0}, bytes.Repeat([]byte{0x03, 0x40, 0x0b}, 1900)...), 0x0b)
	section(3, uleb(functions), make([]byte, functions))
	section(5, []byte{1, 0, 1})
	section(7, []byte("\x02\x06memory\x02\x00\x06handle\x00\x00"))
	section(10, uleb(functions), bytes.Repeat(append(uleb(len(body)), body...), functions))
	return string(b)
}

// A module that takes too long to compile is refused, and holds up nobody meanwhile.
func TestCompileBudget(t *testing.T) {
	config := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(config, []byte("limits: {compile_cpu_ms: 300}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := serve(t, t.TempDir(), "--config", config)
	p.createNamespace("production")
	p.deploy(customers("production")+"quiet", script(`export default { fetch: () => new Response("quiet") }`))
	refused := make(chan struct{})
	go func() {
		defer close(refused)
		status, e := p.upload(customers("production")+"bomb", worker{main: "w.wasm", modules: map[string]string{"w.wasm": loops(40)}})
		if status != 400 || len(e.Errors) != 1 || e.Errors[0].Code != 10021 || !strings.Contains(e.message(), "limit of 300ms of CPU time") {
			t.Errorf("%d %+v", status, e.Errors)
		}
	}()
	for done := false; !done; {
		p.wants("http://quiet.example.com/", 200, "quiet")
		select {
		case <-refused:
			done = true
		default:
		}
	}
	if status, _ := p.get("http://bomb.example.com/"); status != 404 {
		t.Errorf("the bomb is there: %d", status)
	}
}

// The compiler's process does not survive the server, however that ends.
func TestCompilerDiesWithTheServer(t *testing.T) {
	for name, end := range map[string]syscall.Signal{"kill": syscall.SIGKILL, "term": syscall.SIGTERM} {
		config := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(config, []byte("grace: 100ms\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		p := serve(t, t.TempDir(), "--config", config)
		p.createNamespace("production")
		var uploading sync.WaitGroup
		contentType, body := formOf(worker{main: "w.wasm", modules: map[string]string{"w.wasm": loops(90)}})
		r, err := http.NewRequest("PUT", p.control+"/accounts/"+account+customers("production")+"bomb", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+p.token)
		r.Header.Set("Content-Type", contentType)
		uploading.Go(func() {
			if resp, err := http.DefaultClient.Do(r); err == nil { // most likely it is cut off
				resp.Body.Close()
			}
		})
		var children []int
		eventually(t, name+": a compiler", func() bool {
			children = childrenOf(t, p.cmd.Process.Pid)
			return len(children) == 1
		})
		p.cmd.Process.Signal(end)
		p.cmd.Wait()
		uploading.Wait()
		eventually(t, name+": its end", func() bool {
			state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", children[0]))
			return err != nil || bytes.Contains(state, []byte(") Z "))
		})
	}
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited 10 s for %s", what)
		}
	}
}

// childrenOf lists the processes whose parent is pid.
func childrenOf(t *testing.T, pid int) (list []int) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		stat, _ := os.ReadFile(path) // proc_pid_stat(5): pid (comm) state ppid …; it may be gone
		_, rest, _ := strings.Cut(string(stat), ") ")
		var child, parent int
		var state string
		fmt.Sscan(string(stat), &child)
		if fmt.Sscan(rest, &state, &parent); parent == pid {
			list = append(list, child)
		}
	}
	return list
}

// What is derived may be lost, damaged or another's between two starts: it is made again.
func TestDerivedData(t *testing.T) {
	module, err := os.ReadFile("../../isolate/guest/c/example.wasm")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p := serve(t, dir)
	p.createNamespace("production")
	p.deploy(customers("production")+"c", worker{main: "w.wasm", modules: map[string]string{"w.wasm": string(module)}})
	p.deploy(customers("production")+"js", script(`const at = "module scope"; export default { fetch: () => new Response(at) }`))
	again := func(what string, change func(path string, file []byte)) {
		t.Helper()
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "derived", "*", "*"))
		if err != nil || len(files) < 2 {
			t.Fatalf("%s: %q, %v", what, files, err)
		}
		for _, path := range files {
			file, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			change(path, file)
		}
		p = serve(t, dir)
		p.wants("http://c.example.com/hello", 200, "Hello /hello")
		p.wants("http://js.example.com/", 200, "module scope")
	}
	write := func(path string, file []byte) {
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	again("as it is", func(string, []byte) {})
	again("flipped", func(path string, file []byte) {
		file[len(file)/2] ^= 1
		write(path, file)
	})
	again("cut", func(path string, file []byte) { write(path, file[:len(file)/3]) })
	var last []byte
	again("mixed up", func(path string, file []byte) {
		write(path, last)
		last = file
	})
	again("gone", func(path string, _ []byte) { os.Remove(path) })
}
