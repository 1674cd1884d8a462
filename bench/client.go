package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// client sends one request over and over. It knows just enough HTTP for that, so that it
// leaves the processors to the server.
type client struct {
	addr    string
	request []byte
}

func newClient(addr, host, path string) *client {
	request := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host)
	return &client{addr: addr, request: []byte(request)}
}

// get sends one request and returns the body of its answer, which is a 200.
func (c *client) get() (string, error) {
	resp, body, err := c.exchange("")
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("answered %d %.200q", resp.StatusCode, body)
	}
	return body, err
}

// exchange sends one request on a connection of its own. header are lines with their ends.
func (c *client) exchange(header string) (*http.Response, string, error) {
	conn, err := net.Dial("tcp", c.addr)
	if err != nil {
		return nil, "", err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	request := bytes.TrimSuffix(c.request, []byte("\r\n"))
	if _, err := fmt.Fprintf(conn, "%s%s\r\n", request, header); err != nil {
		return nil, "", err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return nil, "", err
	}
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

var (
	statusOK      = []byte("HTTP/1.1 200")
	contentLength = []byte("content-length: ")
	endOfHeader   = []byte("\r\n\r\n")
)

// answered reports whether b is one whole answer: a 200 with a Content-Length. More than one
// is an error, as one request is under way at a time.
func answered(b []byte) (bool, error) {
	end := bytes.Index(b, endOfHeader)
	if end < 0 {
		return false, nil
	}
	header := b[:end+2]
	if !bytes.HasPrefix(header, statusOK) {
		return false, fmt.Errorf("answered %q", b)
	}
	length, err := lengthOf(header)
	if err != nil {
		return false, err
	}
	missing := end + len(endOfHeader) + length - len(b)
	if missing < 0 {
		return false, fmt.Errorf("answered %d bytes too many: %q", -missing, b)
	}
	return missing == 0, nil
}

func lengthOf(header []byte) (int, error) {
	for len(header) > 0 {
		end := bytes.IndexByte(header, '\n')
		line := header[:end]
		header = header[end+1:]
		if n := len(contentLength); len(line) > n && bytes.EqualFold(line[:n], contentLength) {
			return strconv.Atoi(string(bytes.TrimSpace(line[n:])))
		}
	}
	return 0, errors.New("answered without a Content-Length")
}

// slowBody uploads a few bytes in a second to the host body.bench.example; whatever comes of it.
func slowBody(addr string) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: body.bench.example\r\nContent-Length: 10\r\n\r\n")
	for range 10 {
		time.Sleep(50 * time.Millisecond)
		fmt.Fprint(conn, "x")
	}
	io.Copy(io.Discard, io.LimitReader(conn, 1))
}
