package fuzz

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// What clients of the control API and of the ingress see of a script has to be the story of one register, whatever they do at
// once and whenever the server is killed: a deploy writes, a delete clears, a request reads. An operation whose answer
// never came may have happened at any time since, or not at all.

type action uint8

const (
	deploying action = iota
	deleting
	asking
)

func (a action) String() string { return [...]string{"deploy", "delete", "ask"}[a] }

// done is one operation as its client saw it.
type done struct {
	script  string
	action  action
	version string // deploy: that was sent; ask: that answered, "" is a 404
	missing bool   // delete: there was none
}

// register is the model: its state is the version that answers, "" for none.
var register = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		parts := map[string][]porcupine.Operation{}
		for _, o := range history {
			script := o.Input.(done).script
			parts[script] = append(parts[script], o)
		}
		var list [][]porcupine.Operation
		for _, part := range parts {
			list = append(list, part)
		}
		return list
	},
	Init: func() any { return "" },
	Step: func(state, in, _ any) (bool, any) {
		switch d := in.(done); d.action {
		case deploying:
			return true, d.version
		case deleting:
			return !d.missing || state == "", ""
		default:
			return state == d.version, state
		}
	},
	DescribeOperation: func(in, _ any) string { return fmt.Sprintf("%+v", in) },
}

// history is written by several clients.
type history struct {
	start time.Time
	mu    struct {
		sync.Mutex
		all []porcupine.Operation
	}
}

// never is the return of an operation whose answer was lost.
const never = math.MaxInt64

func (h *history) now() int64 { return int64(time.Since(h.start)) }

func (h *history) add(client int, call, ret int64, d done) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.mu.all = append(h.mu.all, porcupine.Operation{ClientId: client, Input: d, Call: call, Return: ret})
}

// TestHistory has clients work on three scripts of a server process that is killed again and again, and holds what they saw
// against the register.
func TestHistory(t *testing.T) {
	needRuntime(t)
	eachSeed(t, 4*time.Second, nil, func(t *testing.T, seed uint64, d time.Duration) {
		const clients = 5
		s := &killable{dir: t.TempDir(), binary: buildServer(t)}
		s.start(t)
		defer s.kill()
		if _, err := s.call("POST", "/dispatch/namespaces", "application/json", `{"name":"n"}`); err != nil {
			t.Fatal(err)
		}
		h := &history{start: time.Now()}
		end := h.start.Add(d)
		var working sync.WaitGroup
		for client := range clients {
			random := rand.New(rand.NewPCG(seed, uint64(client)))
			working.Go(func() {
				for n := 0; time.Now().Before(end); n++ {
					if err := s.step(h, client, n, random); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		random := rand.New(rand.NewPCG(seed, clients))
		kills := 0
		for time.Now().Before(end) && !t.Failed() {
			time.Sleep(time.Duration(random.Int64N(int64(600 * time.Millisecond))))
			s.kill()
			s.start(t)
			kills++
		}
		working.Wait()
		result, _ := porcupine.CheckOperationsVerbose(register, h.mu.all, time.Minute)
		if result != porcupine.Ok {
			t.Errorf("%d operations and %d kills are %s", len(h.mu.all), kills, result)
			for _, o := range h.mu.all {
				t.Logf("%d: %d–%d %+v", o.ClientId, o.Call, o.Return, o.Input)
			}
		}
		t.Logf("%d operations, %d kills: %s", len(h.mu.all), kills, result)
	})
}

// step is one operation of a client. The error is of an answer that nobody may get.
func (s *killable) step(h *history, client, n int, random *rand.Rand) error {
	d := done{script: fmt.Sprintf("s%d", random.IntN(3)), action: action(min(random.IntN(6), 3) % 3)}
	path := "/dispatch/namespaces/n/scripts/" + d.script
	call := h.now()
	switch d.action {
	case deploying:
		d.version = fmt.Sprintf("%d.%d", client, n)
		_, err := s.call("PUT", path, "application/javascript+module", fmt.Sprintf("export default { fetch: () => new Response(%q) };", d.version))
		return h.end(client, call, d, err)
	case deleting:
		_, err := s.call("DELETE", path, "", "")
		if status := (*rejected)(nil); errors.As(err, &status) && status.code == http.StatusNotFound {
			d.missing, err = true, nil
		}
		return h.end(client, call, d, err)
	}
	body, err := s.ask(d.script)
	if status := (*rejected)(nil); errors.As(err, &status) && status.code == http.StatusNotFound {
		err = nil
	} else if err != nil {
		return nil // a request without an answer tells nothing
	}
	d.version = body
	return h.end(client, call, d, err)
}

// end records an operation. One that the server refused has not happened; 409 and 503 are fair answers under load.
func (h *history) end(client int, call int64, d done, err error) error {
	status := (*rejected)(nil)
	switch {
	case err == nil:
		h.add(client, call, h.now(), d)
	case errors.Is(err, syscall.ECONNREFUSED): // it was not sent
	case !errors.As(err, &status):
		h.add(client, call, never, d)
	case status.code != http.StatusConflict && status.code != http.StatusServiceUnavailable:
		return fmt.Errorf("%s %s: %w", d.action, d.script, err)
	}
	return nil
}

// rejected is an answer that is no 200.
type rejected struct {
	code int
	body string
}

func (r *rejected) Error() string { return fmt.Sprintf("answered %d %s", r.code, r.body) }

func exchange(client *http.Client, r *http.Request) (string, error) {
	resp, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", &rejected{resp.StatusCode, string(body)}
	}
	return string(body), nil
}

func (s *killable) call(method, path, contentType, body string) (string, error) {
	r, err := http.NewRequest(method, s.at().control+"/accounts/00000000000000000000000000000000/workers"+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+processToken)
	r.Header.Set("Content-Type", contentType)
	answer, err := exchange(http.DefaultClient, r)
	if err == nil && !json.Valid([]byte(answer)) {
		err = io.ErrUnexpectedEOF // it was killed while it wrote
	}
	return answer, err
}

func (s *killable) ask(script string) (string, error) {
	r, err := http.NewRequest("GET", "http://"+s.at().ingress+"/", nil)
	if err != nil {
		return "", err
	}
	r.Host = script + ".example.com"
	return exchange(http.DefaultClient, r)
}

// TestHistoryCanary: histories that no register has are found.
func TestHistoryCanary(t *testing.T) {
	for name, c := range map[string]struct {
		all  []porcupine.Operation
		want porcupine.CheckResult
	}{
		"in order":              {ops(1, 2, deploy("a"), 3, 4, sees("a"), 5, 6, clears(false), 7, 8, sees("")), porcupine.Ok},
		"answer lost, happened": {ops(1, never, deploy("a"), 3, 4, sees(""), 5, 6, sees("a")), porcupine.Ok},
		"answer lost, not":      {ops(1, never, deploy("a"), 3, 4, sees("")), porcupine.Ok},
		"at once":               {ops(1, 9, deploy("a"), 2, 3, sees("a"), 4, 5, sees("a")), porcupine.Ok},
		"acknowledged and lost": {ops(1, 2, deploy("a"), 3, 4, sees("")), porcupine.Illegal},
		"old after new":         {ops(1, 2, deploy("a"), 3, 4, deploy("b"), 5, 6, sees("a")), porcupine.Illegal},
		"back and forth":        {ops(1, 9, deploy("a"), 2, 3, sees("a"), 4, 5, sees("")), porcupine.Illegal},
		"back after a delete":   {ops(1, 2, deploy("a"), 3, 4, clears(false), 5, 6, sees("a")), porcupine.Illegal},
		"missing while there":   {ops(1, 2, deploy("a"), 3, 4, clears(true)), porcupine.Illegal},
	} {
		if got := porcupine.CheckOperationsTimeout(register, c.all, time.Minute); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func deploy(version string) done { return done{"s", deploying, version, false} }
func sees(version string) done   { return done{"s", asking, version, false} }
func clears(missing bool) done   { return done{"s", deleting, "", missing} }

// ops are operations, each behind its call and return.
func ops(list ...any) (all []porcupine.Operation) {
	at := func(v any) int64 {
		if n, ok := v.(int); ok {
			return int64(n)
		}
		return v.(int64)
	}
	for i := 0; i < len(list); i += 3 {
		all = append(all, porcupine.Operation{ClientId: i, Call: at(list[i]), Return: at(list[i+1]), Input: list[i+2]})
	}
	return all
}
