package control

import (
	"bytes"
	"errors"
	"net/http"
	"testing"
)

// FuzzUpload checks that any body is either an upload whose main module is in it, or a
// client's fault.
func FuzzUpload(f *testing.F) {
	f.Add("multipart/form-data; boundary=x", []byte("--x\r\nContent-Disposition: form-data; name=\"metadata\"\r\n\r\n{\"main_module\":\"a\"}\r\n--x\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Type: application/javascript+module\r\n\r\nx\r\n--x--"))
	f.Add("application/javascript", []byte("--x\r\nContent-Disposition: form-data; name=\"metadata[tags][]\"\r\n\r\na\r\n--x--"))
	f.Add("application/wasm", []byte("\x00asm"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		r, err := http.NewRequest("PUT", "/", bytes.NewReader(body))
		if err != nil {
			t.Skip(err)
		}
		r.Header.Set("Content-Type", contentType)
		s := &server{Options: Options{}.withDefaults()}
		u, err := s.readScript(&call{r: r})
		if p := (*problem)(nil); errors.As(err, &p) {
			if p.status < 400 || p.status > 499 || len(p.Message) > 4096 {
				t.Fatalf("%d %s", p.status, p.Message)
			}
			return
		}
		if err != nil {
			t.Fatal("not a client's fault:", err)
		}
		for _, m := range u.Modules {
			if m.Name == u.Main {
				return
			}
		}
		t.Fatalf("main module %q is not among %d", u.Main, len(u.Modules))
	})
}
