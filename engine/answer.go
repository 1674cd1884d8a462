package engine

import (
	"context"
	"encoding/json"
	"fmt"

	"switchyard/isolate"
	"switchyard/isolate/abi"
)

// answerer is the other end of a binding that leads to no Worker: the host answers what is fetched from it. A call is
// a subrequest like any other, counted, pending and cancellable:
//
//	sub.Request   a body, where the call brings one
//	sub.Name      what the call is about: a key, for example
//	sub.Options   the rest, as a JSON object that the binding defines; nil when not given
//
// A new one is a case in newTarget, its type in envBinding.Index, and a maker in the prelude.
type answerer interface {
	// answer owns sub.Request. The error's message is what the guest catches.
	answer(ctx context.Context, inv *invocation, sub *isolate.Subrequest) (*isolate.Response, error)
}

// answererOf returns what answers the binding; nil: it leads to a Worker, or nowhere.
func (inv *invocation) answererOf(binding int) answerer {
	if binding < 0 || binding >= len(inv.loaded.targets) {
		return nil
	}
	return inv.loaded.targets[binding].answerer
}

// readOptions decodes the options of a call. binding names it in errors, which only a guest that writes its own calls
// will see.
func readOptions(binding string, sub *isolate.Subrequest, into any) error {
	if len(sub.Options) == 0 {
		return fmt.Errorf("%s: the call has no options", binding)
	}
	if err := json.Unmarshal(sub.Options, into); err != nil {
		return fmt.Errorf("%s: %w", binding, err)
	}
	return nil
}

// answered makes an answer without headers but those given. It owns body.
func answered(status int, body []byte, headers ...header) *isolate.Response {
	head := abi.AppendResponseHead(nil, status)
	for _, h := range headers {
		head = abi.AppendHeader(head, 0, h.name, h.value)
	}
	return &isolate.Response{Head: abi.ResponseHead(head), Body: isolate.Body{Bytes: body}}
}
