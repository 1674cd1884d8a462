// Package examples is the demo platform's Workers: what `switchyard serve --demo` deploys, and
// what a newcomer deploys by wrangler or curl. Each folder is one Worker with its wrangler
// configuration.
package examples

import "embed"

//go:embed dispatcher outbound customer-a customer-b customer-c
var Files embed.FS
