package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// client sends one request over and over, closed loop: each connection waits for its answer.
// It knows just enough HTTP for that, so that it leaves the processors to the server.
type client struct {
	addr    string
	request []byte
	body    string
}

func newClient(addr, host, path, body string) *client {
	request := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host)
	return &client{addr: addr, request: []byte(request), body: body}
}

// check sends one request and compares the answer.
func (c *client) check() error {
	conn, err := net.Dial("tcp", c.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Write(c.request); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || string(body) != c.body {
		return fmt.Errorf("answered %d %q, not 200 %q", resp.StatusCode, body, c.body)
	}
	return nil
}

// load runs conns connections for d and returns the latency of every request in µs.
func (c *client) load(conns int, d time.Duration) ([]uint32, error) {
	var (
		wg        sync.WaitGroup
		mu        sync.Mutex
		all       []uint32
		firstFail error
	)
	end := time.Now().Add(d)
	for range conns {
		wg.Go(func() {
			latencies, err := c.loop(end)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, latencies...)
			if err != nil && firstFail == nil {
				firstFail = err
			}
		})
	}
	wg.Wait()
	return all, firstFail
}

func (c *client) loop(end time.Time) (latencies []uint32, err error) {
	conn, err := net.Dial("tcp", c.addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	conn.SetDeadline(end.Add(10 * time.Second))
	r := bufio.NewReader(conn)
	for start := time.Now(); start.Before(end); {
		if _, err := conn.Write(c.request); err != nil {
			return latencies, err
		}
		if err := skipAnswer(r); err != nil {
			return latencies, err
		}
		now := time.Now()
		latencies = append(latencies, uint32(now.Sub(start)/time.Microsecond))
		start = now
	}
	return latencies, nil
}

var (
	statusOK      = []byte("HTTP/1.1 200")
	contentLength = []byte("content-length: ")
)

// skipAnswer reads one 200 with a Content-Length.
func skipAnswer(r *bufio.Reader) error {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, statusOK) {
		return fmt.Errorf("answered %q", line)
	}
	length := -1
	for {
		if line, err = r.ReadSlice('\n'); err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if n := len(contentLength); len(line) > n && bytes.EqualFold(line[:n], contentLength) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[n:]))); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return fmt.Errorf("answered without a Content-Length")
	}
	_, err = r.Discard(length)
	return err
}
