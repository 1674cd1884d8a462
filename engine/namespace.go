package engine

import "time"

// Namespace is a dispatch namespace: a container of user Workers, one per product and stage,
// never one per customer.
type Namespace struct {
	ID       string // UUID, made once
	Name     string // [A-Za-z0-9_-]{1,63}, unique
	Trusted  bool   // its Workers see request.cf and share a cache
	Scripts  int    // user Workers in it
	Created  time.Time
	Modified time.Time
}

// NamespacePatch changes what is not nil.
type NamespacePatch struct {
	Name    *string
	Trusted *bool
}
