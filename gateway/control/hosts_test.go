package control

import (
	"net/http"
	"testing"
)

func TestHostGuard(t *testing.T) {
	g := newHostGuard([]string{"Control.Example", "other.example:8788"})
	for host, want := range map[string]bool{
		"localhost": true, "localhost:8788": true, "LOCALHOST.": true, "app.localhost:1": true,
		"127.0.0.1": true, "127.0.0.1:8788": true, "[::1]:8788": true, "[::1]": true, "10.1.2.3:80": true,
		"control.example": true, "control.example:443": true, "other.example": true,
		"evil.example": false, "localhost.evil.example": false, "127.0.0.1.evil.example:8788": false, "": false, "notlocalhost": false,
	} {
		if got := g.check(&http.Request{Host: host}) == nil; got != want {
			t.Errorf("Host %q: allowed %v, want %v", host, got, want)
		}
	}
}
