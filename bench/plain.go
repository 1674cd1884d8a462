package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"
)

// plainServerArg makes this program the peer: a fasthttp server and nothing else, in a
// process of its own so that its CPU time can be told from the client's.
const plainServerArg = "-serve-fasthttp-plain"

func servePlain() {
	body := []byte(hello)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	side, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(side, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { // ends with the process
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Fprintf(w, "go_memstats_mallocs_total %d\n", m.Mallocs)
	}))
	fmt.Fprintf(os.Stdout, "ready %s %s\n", ln.Addr(), side.Addr())
	server := &fasthttp.Server{
		Handler: func(ctx *fasthttp.RequestCtx) {
			ctx.SetContentType("text/plain")
			ctx.SetBody(body)
		},
		NoDefaultServerHeader: true,
	}
	panic(server.Serve(ln))
}

func startPlain(string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var addr, side string
	p, err := launch(func(line string) bool {
		_, err := fmt.Sscanf(line, "ready %s %s", &addr, &side)
		return err == nil
	}, self, plainServerArg)
	if err != nil {
		return nil, err
	}
	p.addr = addr
	p.mallocs = func() (uint64, error) { return mallocs("http://"+side+"/", "") }
	return p, nil
}

// mallocs reads the count of heap objects ever allocated from a Prometheus page.
func mallocs(url, token string) (uint64, error) {
	r, err := http.NewRequest("GET", url, nil)
	if err != nil {
		return 0, err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(page)) {
		if value, ok := strings.CutPrefix(line, "go_memstats_mallocs_total "); ok {
			return strconv.ParseUint(strings.TrimSpace(value), 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no go_memstats_mallocs_total", url)
}
