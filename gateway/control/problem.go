package control

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"switchyard/engine"
	"switchyard/isolate"
)

// Codes that clients branch on are the public API's; those from 19000 on are our own.
const (
	codeAuth              = 10000
	codeNoRoute           = 7000
	codeAccount           = 7003
	codeKVKeyNotFound     = 10009
	codeKVExists          = 10014
	codeKVMissing         = 10041 // an upload is bound to a KV namespace that is not there
	codeKVBadID           = 10042 // … or to what is not the id of one
	codeScriptNotFound    = 10007 // a plain Worker
	codeInternal          = 10013 // also a KV namespace that is not there
	codeInput             = 10021 // an upload or a change that was refused; wrangler source-maps its text
	codeRouteExists       = 10020
	codeBody              = 10026 // the request body could not be read
	codeTooLarge          = 10027
	codeConflict          = 10035
	codeBindingName       = 10053 // the name belongs to a binding of another type
	codeBindingNotFound   = 10056
	codeServiceNotFound   = 10090 // a plain Worker on a services path
	codeUserNotFound      = 10092 // a script in a namespace; wrangler goes on with this code alone
	codeNotDeployed       = 10215 // the newest version has no traffic; wrangler says what to do then
	codeMethod            = 10405
	codeNamespaceNotFound = 100119
	codeNamespaceExists   = 100120

	codeScriptExists = 10040

	codeHost         = 19001 // Host is a name of somebody else
	codeUnsupported  = 19002 // a product that this server does not have
	codeNotFound     = 19003 // version, deployment, route, tag, plan or API token
	codeBusy         = 19004 // too many uploads at once
	codeNoChanges    = 19005 // the store takes no changes now
	codeDisconnected = 19006 // nobody reads this answer
	codeTailNotFound = 19007
	codeTooManyTails = 19008
)

// apiError is one element of the envelope's errors.
type apiError struct {
	Code    int     `json:"code"`
	Message string  `json:"message"`
	Source  *source `json:"source,omitempty"`
}

// source says where in the request the fault is.
type source struct {
	Pointer string `json:"pointer"` // RFC 6901
}

// problem is a request that is answered with an error: what every endpoint returns for a
// client's fault.
type problem struct {
	status int
	apiError
}

func (p *problem) Error() string { return p.Message }

func fail(status, code int, message string) *problem {
	return &problem{status: status, apiError: apiError{Code: code, Message: message}}
}

// refuse is an input that can be read and cannot be accepted.
func refuse(message string) *problem { return fail(http.StatusBadRequest, codeInput, message) }

// mapped says how the engine's errors are answered. ErrScriptNotFound is not here: its code
// depends on the path.
var mapped = []struct {
	err    error
	status int
	code   int
}{
	{engine.ErrNamespaceNotFound, http.StatusNotFound, codeNamespaceNotFound},
	{engine.ErrNamespaceExists, http.StatusBadRequest, codeNamespaceExists},
	{engine.ErrVersionNotFound, http.StatusNotFound, codeNotFound},
	{engine.ErrDeploymentNotFound, http.StatusNotFound, codeNotFound},
	{engine.ErrPlanNotFound, http.StatusNotFound, codeNotFound},
	{engine.ErrRouteNotFound, http.StatusNotFound, codeNotFound},
	{engine.ErrTokenNotFound, http.StatusNotFound, codeNotFound},
	{engine.ErrScriptExists, http.StatusBadRequest, codeScriptExists},
	{engine.ErrRouteExists, http.StatusBadRequest, codeRouteExists},
	{engine.ErrKVNamespaceNotFound, http.StatusNotFound, codeInternal},
	{engine.ErrKVNamespaceExists, http.StatusBadRequest, codeKVExists},
	{engine.ErrConflict, http.StatusConflict, codeConflict},
	{engine.ErrAssetToken, http.StatusUnauthorized, codeAuth},
	{engine.ErrUnavailable, http.StatusServiceUnavailable, codeNoChanges},
	{isolate.ErrCompiling, http.StatusServiceUnavailable, codeBusy},
	{context.Canceled, http.StatusServiceUnavailable, codeDisconnected},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, codeBusy},
}

// problemOf turns any error into what the client is told. What it does not know is a fault of
// ours, whose text stays in the log.
func problemOf(err error, path string) *problem {
	if p := (*problem)(nil); errors.As(err, &p) {
		return p
	}
	if e := (*engine.InputError)(nil); errors.As(err, &e) {
		p := refuse(e.Error())
		if e.Field != "" {
			p.Source = &source{pointer(e.Field)}
		}
		return p
	}
	if e := (*isolate.StartupError)(nil); errors.As(err, &e) {
		return refuse(startupText(e))
	}
	if e := (*engine.KVError)(nil); errors.As(err, &e) {
		return fail(e.Status, codeInput, e.Reason)
	}
	if e := (*engine.MissingKVError)(nil); errors.As(err, &e) {
		return missingKV(e)
	}
	if errors.Is(err, engine.ErrScriptNotFound) {
		return fail(http.StatusNotFound, scriptNotFound(path), err.Error())
	}
	for _, m := range mapped {
		if errors.Is(err, m.err) {
			return fail(m.status, m.code, err.Error())
		}
	}
	return fail(http.StatusInternalServerError, codeInternal, "internal error: see the server's log")
}

// missingKV has the words that the public API has for it.
func missingKV(e *engine.MissingKVError) *problem {
	p := fail(http.StatusBadRequest, codeKVMissing, "KV namespace '"+e.ID+"' not found.")
	if id, err := hex.DecodeString(e.ID); err != nil || len(id) != 16 {
		p = fail(http.StatusBadRequest, codeKVBadID, "KV namespace "+quote(e.ID)+" is not valid. Please verify the namespace_id in your configuration.")
	}
	p.Source = &source{pointer(e.Field)}
	return p
}

// scriptNotFound picks the code by which wrangler tells "not there yet" from a failure.
func scriptNotFound(path string) int {
	switch {
	case strings.Contains(path, "/dispatch/"):
		return codeUserNotFound
	case strings.Contains(path, "/services/"):
		return codeServiceNotFound
	}
	return codeScriptNotFound
}

// startupText is an exception at deploy time with its stack, the lines of which name the place.
func startupText(e *isolate.StartupError) string {
	text := strings.TrimRight(e.Error(), "\n")
	if stack := strings.Trim(e.Stack, "\n"); stack != "" {
		text += "\n" + stack
	}
	return text
}

// pointer rewrites `bindings[2].service` as `/bindings/2/service`.
func pointer(field string) string {
	r := strings.NewReplacer("~", "~0", "/", "~1", ".", "/", "[", "/", "]", "")
	return "/" + r.Replace(field)
}

const maxQuoted = 120 // bytes of a client's text in a message

// quote shows a client's text in a message: control bytes escaped, its length bounded.
func quote(s string) string {
	if len(s) > maxQuoted {
		s = s[:maxQuoted] + "…"
	}
	return strconv.Quote(s)
}
