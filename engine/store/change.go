package store

import "time"

// Kind says what a change does.
type Kind string

const (
	KindPutNamespace  Kind = "put-namespace"
	KindDropNamespace Kind = "drop-namespace" // and every script in it
	KindPutScript     Kind = "put-script"
	KindDropScript    Kind = "drop-script" // and its versions and deployments
	KindAddVersion    Kind = "add-version"
	KindAddDeployment Kind = "add-deployment"
	KindPutRoute      Kind = "put-route"
	KindDropRoute     Kind = "drop-route"
	KindPutToken      Kind = "put-token"
	KindDropToken     Kind = "drop-token"
	KindPutSetting    Kind = "put-setting"
	KindPutPlan       Kind = "put-plan"
	KindDropPlan      Kind = "drop-plan"
	KindPutKV         Kind = "put-kv-namespace"
	KindDropKV        Kind = "drop-kv-namespace" // and its pairs
)

// Change is one entry of the log: what happened, complete by itself. Every id and time in it
// was made by the caller, so that replaying the log gives the same state everywhere; applying a
// change twice is applying it once. What it writes are whole records, never differences.
type Change struct {
	Seq    uint64    `json:"seq"` // 1, 2, 3… without gaps; given by Apply
	At     time.Time `json:"at"`
	Kind   Kind      `json:"kind"`
	Record           // what is put or added
	Drop   *Target   `json:"drop,omitempty"`  // what is dropped
	Audit  *Audit    `json:"audit,omitempty"` // who did it; of a commit's first change
}

// Target names a record to drop.
type Target struct {
	NamespaceID string `json:"namespace,omitempty"` // of a script
	ID          string `json:"id"`
}

// Record is one state record: exactly one field is set.
type Record struct {
	Namespace  *Namespace  `json:"namespace,omitempty"`
	Script     *Script     `json:"script,omitempty"`
	Version    *Version    `json:"version,omitempty"`
	Deployment *Deployment `json:"deployment,omitempty"`
	Route      *Route      `json:"route,omitempty"`
	Token      *Token      `json:"token,omitempty"`
	Setting    *Setting    `json:"setting,omitempty"`
	Plan       *Plan       `json:"plan,omitempty"`

	KVNamespace *KVNamespace `json:"kv_namespace,omitempty"`
}

// PutNamespace makes or replaces a namespace.
func PutNamespace(at time.Time, n Namespace) Change {
	return Change{At: at, Kind: KindPutNamespace, Record: Record{Namespace: &n}}
}

// DropNamespace removes a namespace and every script in it.
func DropNamespace(at time.Time, id string) Change {
	return Change{At: at, Kind: KindDropNamespace, Drop: &Target{ID: id}}
}

// PutScript makes or replaces a script; its versions and deployments stay.
func PutScript(at time.Time, s Script) Change {
	return Change{At: at, Kind: KindPutScript, Record: Record{Script: &s}}
}

// DropScript removes a script, its versions and its deployments. Routes name scripts by name
// and stay: drop them in the same Apply where they should go.
func DropScript(at time.Time, namespaceID, id string) Change {
	return Change{At: at, Kind: KindDropScript, Drop: &Target{NamespaceID: namespaceID, ID: id}}
}

// AddVersion adds a version. Its modules' blobs must have been put before.
func AddVersion(at time.Time, v Version) Change {
	return Change{At: at, Kind: KindAddVersion, Record: Record{Version: &v}}
}

// AddDeployment adds a deployment.
func AddDeployment(at time.Time, d Deployment) Change {
	return Change{At: at, Kind: KindAddDeployment, Record: Record{Deployment: &d}}
}

// PutRoute makes or replaces a route.
func PutRoute(at time.Time, r Route) Change {
	return Change{At: at, Kind: KindPutRoute, Record: Record{Route: &r}}
}

// DropRoute removes a route.
func DropRoute(at time.Time, id string) Change {
	return Change{At: at, Kind: KindDropRoute, Drop: &Target{ID: id}}
}

// PutToken makes or replaces a token.
func PutToken(at time.Time, t Token) Change {
	return Change{At: at, Kind: KindPutToken, Record: Record{Token: &t}}
}

// DropToken removes a token.
func DropToken(at time.Time, id string) Change {
	return Change{At: at, Kind: KindDropToken, Drop: &Target{ID: id}}
}

// PutSetting makes or replaces a setting.
func PutSetting(at time.Time, s Setting) Change {
	return Change{At: at, Kind: KindPutSetting, Record: Record{Setting: &s}}
}

// PutPlan makes or replaces a plan.
func PutPlan(at time.Time, p Plan) Change {
	return Change{At: at, Kind: KindPutPlan, Record: Record{Plan: &p}}
}

// DropPlan removes a plan.
func DropPlan(at time.Time, name string) Change {
	return Change{At: at, Kind: KindDropPlan, Drop: &Target{ID: name}}
}
