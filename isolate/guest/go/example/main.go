//go:build wasip1

// A Worker that shows what the package worker can do. Each path is a story that the tests of
// package isolate tell to every example alike.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	worker "switchyard/isolate/guest/go"
)

func main() {}

func init() {
	mux := http.NewServeMux()
	mux.HandleFunc("/", hello)
	mux.HandleFunc("/headers", headers)
	mux.HandleFunc("POST /echo", echo)
	mux.HandleFunc("POST /length", length)
	mux.HandleFunc("POST /mirror", mirror)
	mux.HandleFunc("POST /upload", upload)
	mux.HandleFunc("/stream", stream)
	mux.HandleFunc("/env/{name}", env)
	mux.HandleFunc("/fetch", fetch)
	mux.HandleFunc("/parallel", parallel)
	mux.HandleFunc("/goroutines", parallel)
	mux.HandleFunc("/leave", leave)
	mux.HandleFunc("/pass", pass)
	mux.HandleFunc("/dispatch/{name}", dispatch)
	mux.HandleFunc("/limited/{name}", limited)
	mux.HandleFunc("/kv/{key...}", kv)
	mux.HandleFunc("/sleep", sleep)
	mux.HandleFunc("/log", log)
	mux.HandleFunc("/count", counted)
	mux.HandleFunc("/throw", func(http.ResponseWriter, *http.Request) { panic(worker.Exception("Error: on purpose")) })
	mux.HandleFunc("/exit", func(http.ResponseWriter, *http.Request) { os.Exit(3) })
	mux.HandleFunc("/spin", func(http.ResponseWriter, *http.Request) { spin() })
	mux.HandleFunc("/recurse", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, recurse(0)) })
	mux.HandleFunc("/grow", grow)
	worker.Handle(mux)
}

func hello(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "Hello ", r.URL.Path) }

// headers returns every header whose name starts with X-.
func headers(w http.ResponseWriter, r *http.Request) {
	for name, values := range r.Header {
		if strings.HasPrefix(name, "X-") {
			w.Header()[name] = values
		}
	}
}

// echo streams the body back while it is still arriving.
func echo(w http.ResponseWriter, r *http.Request) {
	buf := make([]byte, 32<<10)
	io.CopyBuffer(struct{ io.Writer }{w}, r.Body, buf)
}

func length(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		fmt.Fprint(w, err)
		return
	}
	fmt.Fprint(w, n)
}

// mirror returns the body without reading it.
func mirror(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }

// upload sends the body on to an origin.
func upload(w http.ResponseWriter, r *http.Request) {
	out, _ := http.NewRequest("POST", "http://origin.example/length", struct{ io.Reader }{r.Body})
	answer(w, out)
}

func stream(w http.ResponseWriter, _ *http.Request) {
	for i := range 3 {
		fmt.Fprintf(w, "line %d\n", i)
		w.(http.Flusher).Flush()
		time.Sleep(10 * time.Millisecond)
	}
}

func env(w http.ResponseWriter, r *http.Request) {
	text, ok := worker.Env(r.PathValue("name"))
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		text = "not set"
	}
	fmt.Fprint(w, text)
}

func fetch(w http.ResponseWriter, _ *http.Request) {
	out, _ := http.NewRequest("GET", "http://origin.example/one", nil)
	answer(w, out)
}

// parallel fetches three times at once and shows the answers in order.
func parallel(w http.ResponseWriter, _ *http.Request) {
	var texts [3]string
	var errs [3]error
	var group sync.WaitGroup
	for i := range texts {
		group.Go(func() { texts[i], errs[i] = get(fmt.Sprint("http://origin.example/slow/", i+1)) })
	}
	group.Wait()
	for i := range texts {
		if errs[i] != nil {
			http.Error(w, errs[i].Error(), http.StatusBadGateway)
			return
		}
	}
	fmt.Fprint(w, strings.Join(texts[:], ""))
}

// leave answers before its goroutine has what it waits for.
func leave(w http.ResponseWriter, _ *http.Request) {
	go get("http://origin.example/slow/1")
	time.Sleep(time.Millisecond)
	fmt.Fprint(w, "left")
}

func get(url string) (string, error) {
	r, err := http.NewRequest("GET", url, nil)
	if err != nil {
		return "", err
	}
	resp, err := worker.Transport{}.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

// pass forwards a response whose bytes never come here.
func pass(w http.ResponseWriter, _ *http.Request) {
	out, _ := http.NewRequest("GET", "http://origin.example/big", nil)
	answer(w, out)
}

func answer(w http.ResponseWriter, r *http.Request) {
	resp, err := worker.Fetch(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	worker.Forward(w, resp)
}

// dispatch hands the request to a user Worker.
func dispatch(w http.ResponseWriter, r *http.Request) {
	resp, err := worker.Dispatcher("DISPATCHER").Get(r.PathValue("name")).Fetch(r)
	if err != nil {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, err)
		return
	}
	worker.Forward(w, resp)
}

// limited gives the user Worker less than it would have, and its outbound Worker a parameter.
func limited(w http.ResponseWriter, r *http.Request) {
	customer := worker.Dispatcher("DISPATCHER").Get(r.PathValue("name"), worker.DispatchOptions{
		Limits:   &worker.DispatchLimit{CPUMs: 5},
		Outbound: map[string]any{"who": "me"},
	})
	resp, err := customer.Fetch(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	worker.Forward(w, resp)
}

func sleep(w http.ResponseWriter, _ *http.Request) {
	from := time.Now()
	time.Sleep(30 * time.Millisecond)
	if time.Since(from) < 29*time.Millisecond {
		fmt.Fprint(w, "the clock stands")
		return
	}
	fmt.Fprint(w, "slept")
}

func log(w http.ResponseWriter, _ *http.Request) {
	worker.Log(worker.Warn, "noted")
	fmt.Fprint(w, "logged")
}

var count int

func counted(w http.ResponseWriter, _ *http.Request) {
	count++
	fmt.Fprint(w, count)
}

var sink int

func spin() {
	for {
		sink++
	}
}

func recurse(n int) int {
	if n < 0 {
		return 0
	}
	return recurse(n+1) + n
}

var kept [][]byte

func grow(w http.ResponseWriter, _ *http.Request) {
	for {
		kept = append(kept, make([]byte, 1<<20))
	}
}

// kv counts the requests for a key, and tells what was kept.
func kv(w http.ResponseWriter, r *http.Request) {
	store, key := worker.KV("KV"), r.PathValue("key")
	var seen struct{ By string }
	value, found, err := store.Get(key, &seen)
	if err == nil {
		err = store.Put(key, append(value, '+'), worker.KVOptions{Metadata: map[string]string{"By": "é"}, TTL: time.Hour})
	}
	if err == nil {
		err = store.Delete("none")
	}
	fmt.Fprintf(w, "%s %v %s %v", value, found, seen.By, err)
}
