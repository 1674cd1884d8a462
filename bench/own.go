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

// ownServers are the arguments that make this program a server, in a process of its own so that its CPU
// time can be told from the client's.
var ownServers = map[string]func(){
	"-serve-fasthttp": serveFasthttp,
	"-serve-nethttp":  serveNethttp,
	"-spin":           spin,
}

func serveFasthttp() {
	server := &fasthttp.Server{
		Handler: func(ctx *fasthttp.RequestCtx) {
			ctx.SetContentType("text/plain")
			ctx.SetBodyString(hello)
		},
		NoDefaultServerHeader: true,
	}
	panic(server.Serve(ready()))
}

func serveNethttp() {
	panic(http.Serve(ready(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, hello)
	})))
}

// spin is the foreign process of neighbour's control row.
func spin() {
	fmt.Println("ready - -")
	for n := 0; n >= 0; n = (n + 1) & 1023 {
	}
}

// ready listens, says where, and where the count of heap objects is told.
func ready() net.Listener {
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
	return ln
}

func startFasthttp(string) (*process, error) { return startOwn("-serve-fasthttp") }
func startNethttp(string) (*process, error)  { return startOwn("-serve-nethttp") }

func startOwn(arg string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var addr, side string
	p, err := launch(func(line string) bool {
		_, err := fmt.Sscanf(line, "ready %s %s", &addr, &side)
		return err == nil
	}, self, arg)
	if err != nil {
		return nil, err
	}
	p.addr = addr
	p.mallocs = func() (uint64, error) { return mallocs("http://"+side+"/", "") }
	return p, nil
}

// mallocs reads the count of heap objects ever allocated from a Prometheus page.
func mallocs(url, token string) (uint64, error) {
	page, err := fetch("GET", url, token, "", nil)
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
