// Package html is what HTMLRewriter does on the host: it cuts a document into tokens as it streams
// by and says which of them the selectors of a Worker's handlers select. It builds no tree and keeps
// no more than a token and the names of what is open.
package html

import "switchyard/isolate/service"

// Methods, as the prelude numbers them.
const (
	check        = 1 // selector: is it one?
	makeRewriter = 2 // spec as JSON -> object
	write        = 3 // object; data -> events
	more         = 4 // object -> the next events
	end          = 5 // object -> the last events
	encode       = 6 // object; text -> bytes in the document's encoding
)

// Serve answers one request of an HTMLRewriter.
func Serve(r *service.Request) (service.Answer, error) {
	switch r.Method {
	case check:
		_, err := parseSelectors(string(r.Part(0)))
		return service.Answer{}, err
	case makeRewriter:
		w, err := newRewriter(r.Part(0))
		if err != nil {
			return service.Answer{}, err
		}
		return service.Answer{Object: w, Held: maxMemory}, nil
	}
	w, ok := r.Object.(*rewriter)
	if !ok {
		panic("BUG: html: there is no such object or method")
	}
	switch r.Method {
	case write:
		w.feed(r.Part(0))
		return answer(w.run(false))
	case more:
		return answer(w.run(false))
	case end:
		return answer(w.run(true))
	}
	return service.Answer{Bytes: w.charset.encode(r.Part(0))}, nil
}

func answer(b []byte, err error) (service.Answer, error) { return service.Answer{Bytes: b}, err }
