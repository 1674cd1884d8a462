package engine

import (
	"time"

	"switchyard/isolate"
)

// Namespace is a dispatch namespace: a container of user Workers, one per product and stage,
// never one per customer.
type Namespace struct {
	ID       string         // UUID, made once
	Name     string         // [A-Za-z0-9_-]{1,63}, unique
	Trusted  bool           // its Workers see request.cf and share a cache
	Scripts  int            // user Workers in it
	Limits   isolate.Limits // of each of its Workers; the smaller of these and the others' holds
	Quota    Quota          // of all of them together
	Egress   *EgressPolicy  // of the fetches of each of its Workers; nil: none
	Created  time.Time
	Modified time.Time
}

// NamespacePatch changes what is not nil.
type NamespacePatch struct {
	Name    *string
	Trusted *bool
	Limits  *isolate.Limits
	Quota   *Quota
	Egress  *EgressPolicy // made by ParseEgressPolicy; the zero policy takes it away
}
