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
