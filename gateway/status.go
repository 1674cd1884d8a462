// Package gateway is HTTP in and out of the platform. Its rooms are ingress (clients to
// Workers), egress (Workers to origins) and control (the REST API); what they share is here:
// the one table that says which HTTP status an error is.
package gateway

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"switchyard/engine"
	"switchyard/isolate"
)

// StatusClientGone is what is logged and counted when nobody waits for the answer any more.
// It is never sent. The number is nginx's.
const StatusClientGone = 499

// Status is an error as the public may see it: no name of a script, no stack, no path.
type Status struct {
	HTTP       int    // status code, 200 to 599
	Code       int    // number of Workers' error page, e.g. 1101; 0 when there is none
	Message    string // one line of plain English
	RetryAfter int    // seconds; 0 says nothing
}

// Body returns the plain text of the error page.
func (s Status) Body() string {
	if s.Code == 0 {
		return s.Message + "\n"
	}
	return "error code: " + strconv.Itoa(s.Code) + "\n" + s.Message + "\n"
}

// table is searched from the top; the first error that matches decides.
var table = []struct {
	err    error
	status Status
}{
	{isolate.ErrCPULimit, Status{http.StatusServiceUnavailable, 1102, "Worker exceeded resource limits", 0}},
	{isolate.ErrMemoryLimit, Status{http.StatusServiceUnavailable, 1102, "Worker exceeded resource limits", 0}},
	{isolate.ErrStack, Status{http.StatusServiceUnavailable, 1102, "Worker exceeded resource limits", 0}},
	{isolate.ErrWallLimit, Status{http.StatusGatewayTimeout, 1102, "Worker exceeded resource limits", 0}},
	{isolate.ErrResponseTooLarge, Status{http.StatusServiceUnavailable, 1102, "Worker exceeded resource limits", 0}},
	{engine.ErrRate, Status{http.StatusTooManyRequests, 1015, "Too many requests for this Worker", 1}},
	{engine.ErrQuota, Status{http.StatusTooManyRequests, 1027, "The quota of this Worker is used up", 60}},
	{engine.ErrConcurrent, Status{http.StatusServiceUnavailable, 1200, "Too many requests of this Worker are being handled", 1}},
	{engine.ErrEgressDenied, Status{http.StatusInternalServerError, 1101, "Worker threw exception", 0}},
	{engine.ErrEgressRate, Status{http.StatusInternalServerError, 1101, "Worker threw exception", 0}},
	{engine.ErrEgressBytes, Status{http.StatusServiceUnavailable, 1102, "Worker exceeded resource limits", 0}},
	{isolate.ErrSubrequests, Status{http.StatusInternalServerError, 1101, "Worker threw exception", 0}},
	{isolate.ErrTrap, Status{http.StatusInternalServerError, 1101, "Worker threw exception", 0}},
	{isolate.ErrNoResponse, Status{http.StatusInternalServerError, 1101, "Worker threw exception", 0}},
	{isolate.ErrReset, Status{http.StatusServiceUnavailable, 1101, "Worker was reset", 1}},
	{isolate.ErrCompiling, Status{http.StatusServiceUnavailable, 0, "Too many modules are waiting to be compiled", 1}},
	{isolate.ErrBusy, Status{http.StatusServiceUnavailable, 0, "Too many requests are being handled", 1}},
	{isolate.ErrNoRoom, Status{http.StatusServiceUnavailable, 0, "There is no room for another Worker", 1}},
	{isolate.ErrClosed, Status{http.StatusServiceUnavailable, 0, "Worker was replaced, try again", 1}},
	{isolate.ErrCanceled, Status{StatusClientGone, 0, "Client closed request", 0}},
	{isolate.ErrBodyTooLarge, Status{http.StatusRequestEntityTooLarge, 0, "Request body is too large", 0}},
	{engine.ErrWorkerNotFound, Status{http.StatusNotFound, 0, "Worker not found", 0}},
	{engine.ErrNoEntry, Status{http.StatusServiceUnavailable, 0, "No Worker is deployed here yet", 5}},
	{engine.ErrLoop, Status{http.StatusLoopDetected, 1019, "Too many Workers in a chain of calls", 0}},
	{engine.ErrUnavailable, Status{http.StatusServiceUnavailable, 0, "Not available at the moment", 5}},
	{engine.ErrConflict, Status{http.StatusConflict, 0, "Changed by somebody else meanwhile", 0}},
	{engine.ErrNamespaceExists, Status{http.StatusConflict, 0, "Dispatch namespace already exists", 0}},
	{engine.ErrRouteExists, Status{http.StatusConflict, 0, "Route already exists", 0}},
	{engine.ErrNamespaceNotFound, Status{http.StatusNotFound, 0, "Dispatch namespace not found", 0}},
	{engine.ErrScriptNotFound, Status{http.StatusNotFound, 0, "Script not found", 0}},
	{engine.ErrVersionNotFound, Status{http.StatusNotFound, 0, "Version not found", 0}},
	{engine.ErrDeploymentNotFound, Status{http.StatusNotFound, 0, "Deployment not found", 0}},
	{engine.ErrPlanNotFound, Status{http.StatusNotFound, 0, "Plan not found", 0}},
	{engine.ErrRouteNotFound, Status{http.StatusNotFound, 0, "Route not found", 0}},
	{context.Canceled, Status{StatusClientGone, 0, "Client closed request", 0}},
	{context.DeadlineExceeded, Status{http.StatusGatewayTimeout, 0, "Timed out", 0}},
}

// StatusOf returns what the public is told about err. An error that is not in the table is
// ours, and says nothing of itself.
func StatusOf(err error) Status {
	if quota := (*engine.QuotaError)(nil); errors.As(err, &quota) {
		return quotaStatus(quota)
	}
	for i := range table {
		if errors.Is(err, table[i].err) {
			return table[i].status
		}
	}
	if exception := (*isolate.Exception)(nil); errors.As(err, &exception) {
		return Status{http.StatusInternalServerError, 1101, "Worker threw exception", 0}
	}
	if startup := (*isolate.StartupError)(nil); errors.As(err, &startup) {
		return Status{http.StatusInternalServerError, 1101, "Worker could not be started", 0}
	}
	if input := (*engine.InputError)(nil); errors.As(err, &input) {
		return Status{http.StatusBadRequest, 0, "Input was refused", 0}
	}
	return Status{http.StatusInternalServerError, 0, "Internal error", 0}
}

// quotaStatus is ErrQuota's with the time at which the next period begins.
func quotaStatus(q *engine.QuotaError) Status {
	for i := range table {
		if table[i].err == engine.ErrQuota {
			s := table[i].status
			s.RetryAfter = max(1, int(math.Ceil(time.Until(q.Resets).Seconds())))
			return s
		}
	}
	panic("BUG: quotas have no status")
}
