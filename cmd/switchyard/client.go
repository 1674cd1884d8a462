package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"switchyard/engine"
	"switchyard/engine/store"
	"switchyard/gateway/control"
)

// client speaks the control API for the operator's commands: to the server that --api names, to
// the one that runs over --data, or, when none does and the command needs no Worker to run, to
// one that it opens for itself.
type client struct {
	data, api, token, account string

	http  http.Client
	close func() error
}

// clientFlags are those that every command of the API has.
func clientFlags(flags *flag.FlagSet) *client {
	c := &client{close: func() error { return nil }}
	flags.StringVar(&c.api, "api", os.Getenv("SWITCHYARD_API"), "control API `URL`, such as http://127.0.0.1:8788; else $SWITCHYARD_API; else of the server over --data")
	flags.StringVar(&c.token, "token", "", "API `TOKEN`; else $SWITCHYARD_TOKEN; else DIR/token")
	flags.StringVar(&c.account, "account", strings.Repeat("0", 32), "account `ID` in API paths")
	flags.StringVar(&c.data, "data", "./data", "state `DIR` of the server")
	return c
}

const clientTimeout = 2 * time.Minute

// connect finds the server. offline allows to do without one.
func (c *client) connect(offline bool, stderr io.Writer) error {
	c.http.Timeout = clientTimeout
	if c.token == "" {
		c.token = os.Getenv("SWITCHYARD_TOKEN")
	}
	if c.api != "" {
		c.api = strings.TrimSuffix(strings.TrimSuffix(c.api, "/"), "/client/v4")
		return c.findToken()
	}
	if _, err := os.Stat(filepath.Join(c.data, "db")); err != nil {
		return fmt.Errorf("--data: %s holds no store, and --api names no server", c.data)
	}
	err := c.openOffline(offline, stderr)
	if !errors.Is(err, store.ErrLocked) {
		return err
	}
	at, err := os.ReadFile(filepath.Join(c.data, addressFile))
	if err != nil {
		return fmt.Errorf("a server runs over %s, but where is unknown: give --api: %w", c.data, err)
	}
	c.api = strings.TrimSpace(string(at))
	return c.findToken()
}

// findToken takes the operator's own where none was given.
func (c *client) findToken() error {
	if c.token != "" {
		return checkToken("token", c.token)
	}
	path := filepath.Join(c.data, "token")
	kept, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("no token: give --token or $SWITCHYARD_TOKEN: %w", err)
	}
	c.token = strings.TrimSpace(string(kept))
	return checkToken(path, c.token)
}

// openOffline serves the API to this process alone, over the directory. allowed false only asks
// whether somebody has it.
func (c *client) openOffline(allowed bool, stderr io.Writer) error {
	e, err := engine.OpenOffline(c.data, slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	if !allowed {
		return errors.Join(fmt.Errorf("no server runs over %s: start one, or name one with --api", c.data), e.Close())
	}
	token := newToken()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, e.Close())
	}
	server := &http.Server{Handler: control.New(control.Options{Platform: e, Token: token, Account: c.account, Logger: slog.New(slog.DiscardHandler)})}
	go server.Serve(ln) // ends by close
	c.api, c.token = "http://"+ln.Addr().String(), token
	c.close = func() error { return errors.Join(server.Close(), e.Close()) }
	return nil
}

// apiFailure is an answer that says no.
type apiFailure struct {
	status int
	text   string
}

func (f *apiFailure) Error() string { return f.text }

// call sends one request, whose path may begin with $A for the account's, and decodes the result.
func (c *client) call(method, path string, body, result any) error {
	var doc []byte
	if body != nil {
		var err error
		if doc, err = json.Marshal(body); err != nil {
			return err
		}
	}
	return c.send(method, path, "application/json", doc, result)
}

// pageInfo is what a list says about what follows.
type pageInfo struct {
	Cursor string
}

// list is a GET of one page.
func (c *client) list(path string, result any) (info pageInfo, err error) {
	err = c.request("GET", path, "application/json", nil, result, &info)
	return info, err
}

func (c *client) send(method, path, contentType string, body []byte, result any) error {
	return c.request(method, path, contentType, body, result, nil)
}

func (c *client) request(method, path, contentType string, body []byte, result any, info *pageInfo) error {
	path = strings.Replace(path, "$A", "/accounts/"+url.PathEscape(c.account), 1)
	r, err := http.NewRequest(method, c.api+"/client/v4"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", contentType)
	response, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return decodeAnswer(response, result, info)
}

const maxAnswer = 256 << 20

func decodeAnswer(r *http.Response, result any, info *pageInfo) error {
	text, err := io.ReadAll(io.LimitReader(r.Body, maxAnswer))
	if err != nil {
		return err
	}
	var answer struct {
		Success bool
		Errors  []struct {
			Code    int
			Message string
		}
		Result json.RawMessage
		Info   pageInfo `json:"result_info"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return &apiFailure{r.StatusCode, fmt.Sprintf("%s: not an answer of the control API", r.Status)}
	}
	if !answer.Success {
		failure := &apiFailure{r.StatusCode, r.Status}
		for _, e := range answer.Errors {
			failure.text += fmt.Sprintf("\n  %s [code %d]", e.Message, e.Code)
		}
		return failure
	}
	if info != nil {
		*info = answer.Info
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(answer.Result, result)
}
