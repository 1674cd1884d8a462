// Package loadtest sends requests to a platform as its users would: open loop, many tenants,
// at a rate that does not wait for the server. It is a black box over HTTP: it knows nothing of
// how Switchyard works, only its control API. README.md has a worked example.
package loadtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"regexp"
	"time"

	"gopkg.in/yaml.v3"
)

// Scenario says what to send. In a file it is YAML or JSON; unknown keys are refused. Zero means
// the default.
type Scenario struct {
	Name        string        `yaml:"name" json:"name"`                 // Default: "unnamed"
	Seed        uint64        `yaml:"seed" json:"seed"`                 // the same seed sends the same. Default: 1
	Target      string        `yaml:"target" json:"target"`             // base URL that is connected to, e.g. http://127.0.0.1:8787
	Domain      string        `yaml:"domain" json:"domain"`             // tenant NAME is asked for as NAME.domain. Default: localhost
	Duration    time.Duration `yaml:"duration" json:"duration"`         // measured; 1 h at most. Default: 10s
	Warmup      time.Duration `yaml:"warmup" json:"warmup"`             // before it, at the same rate, not measured. Default: 1s
	Timeout     time.Duration `yaml:"timeout" json:"timeout"`           // of one request, 2 min at most. Default: 10s
	InFlight    int           `yaml:"in_flight" json:"in_flight"`       // requests without an answer at once; more are dropped and counted. Default: 1,000
	MaxRequests int           `yaml:"max_requests" json:"max_requests"` // ends the run, 1e9 at most. Default: 10,000,000
	Classes     []Class       `yaml:"classes" json:"classes"`           // 1 to 16
	Churn       *Churn        `yaml:"churn" json:"churn,omitempty"`     // deploys while the load runs
	Origin      Origin        `yaml:"origin" json:"origin"`             // what fanout Workers fetch from
	Trace       *Trace        `yaml:"-" json:"-"`                       // who is asked when in the first class, instead of its arrivals
}

// Class is one part of the load: who is asked, how often, and what must be kept.
type Class struct {
	Name     string     `yaml:"name" json:"name"`         // letters, digits and -, 20 at most
	Role     string     `yaml:"role" json:"role"`         // victim, aggressor (joins in the second phase only), or "". Default: ""
	Arrivals Arrivals   `yaml:"arrivals" json:"arrivals"` // open loop
	VUs      int        `yaml:"vus" json:"vus"`           // instead of arrivals: so many users who wait for their answer. A closed loop
	Tenants  Population `yaml:"tenants" json:"tenants"`
	SLO      string     `yaml:"slo" json:"slo"`   // e.g. p99<50ms,errors<0.1%
	Host     string     `yaml:"host" json:"host"` // a Host header instead of our own tenants; %d is the tenant's number. Nothing is deployed or compared
	Path     string     `yaml:"path" json:"path"` // with host. Default: /
}

// Population is the tenants of a class.
type Population struct {
	Count     int                `yaml:"count" json:"count"`           // 1 to 1,000,000. Default: 1
	Zipf      float64            `yaml:"zipf" json:"zipf"`             // tenant k is asked as often as 1/k^zipf. Default: 0, all alike
	Kinds     map[string]float64 `yaml:"kinds" json:"kinds"`           // weight by kind of Worker. Default: js-hello
	Cold      float64            `yaml:"cold" json:"cold"`             // share of requests to tenants that were not asked for longest, 0 to 1
	ColdCount int                `yaml:"cold_count" json:"cold_count"` // such tenants, apart from count. Default: 200 when cold is set
	Isolation string             `yaml:"isolation" json:"isolation"`   // reuse, request or "". Default: the platform's
}

// Churn deploys new versions of a class's tenants during the measured time.
type Churn struct {
	Class string  `yaml:"class" json:"class"`
	Rate  float64 `yaml:"rate" json:"rate"` // deploys per second, 1,000 at most
}

// Duration and count ceilings: a mistyped scenario ends.
const (
	maxDuration = time.Hour
	maxTimeout  = 2 * time.Minute
	maxTenants  = 1_000_000
	maxClasses  = 16
	maxInFlight = 50_000
	maxRate     = 1_000_000
)

var className = regexp.MustCompile(`^[a-z0-9-]{1,20}$`)

// ReadScenario reads a file.
func ReadScenario(file string) (Scenario, error) {
	doc, err := os.ReadFile(file)
	if err != nil {
		return Scenario{}, fmt.Errorf("scenario: %w", err)
	}
	s, err := ParseScenario(doc)
	if err != nil {
		return s, fmt.Errorf("scenario %s: %w", file, err)
	}
	return s, nil
}

// ParseScenario reads YAML or JSON, which is YAML too.
func ParseScenario(doc []byte) (Scenario, error) {
	var s Scenario
	dec := yaml.NewDecoder(bytes.NewReader(doc))
	dec.KnownFields(true)
	if err := dec.Decode(&s); err != nil {
		return s, err
	}
	if err := dec.Decode(new(Scenario)); !errors.Is(err, io.EOF) {
		return s, errors.New("more than one document")
	}
	return s, nil
}

// Complete checks a scenario and fills in what it leaves open.
func (s Scenario) Complete() (Scenario, error) {
	orDefault(&s.Name, "unnamed")
	orDefault(&s.Domain, "localhost")
	orDefault(&s.Duration, 10*time.Second)
	orDefault(&s.Warmup, time.Second)
	orDefault(&s.Timeout, 10*time.Second)
	orDefault(&s.InFlight, 1000)
	orDefault(&s.MaxRequests, 10_000_000)
	orDefault(&s.Seed, 1)
	s.Classes = append([]Class(nil), s.Classes...)
	if err := s.check(); err != nil {
		return s, err
	}
	for i := range s.Classes {
		if err := s.Classes[i].complete(s.Warmup + s.Duration); err != nil {
			return s, fmt.Errorf("classes[%d]: %w", i, err)
		}
		for j := range i {
			if s.Classes[j].Name == s.Classes[i].Name {
				return s, fmt.Errorf("classes[%d]: name: %q is taken by classes[%d]", i, s.Classes[i].Name, j)
			}
		}
	}
	return s, s.checkChurn()
}

func (s *Scenario) check() error {
	if _, err := s.address(); err != nil {
		return err
	}
	for _, b := range []struct {
		name        string
		value, most time.Duration
	}{{"duration", s.Duration, maxDuration}, {"warmup", s.Warmup, maxDuration}, {"timeout", s.Timeout, maxTimeout}} {
		if b.value <= 0 || b.value > b.most {
			return fmt.Errorf("%s: %v is not from 1ns to %v", b.name, b.value, b.most)
		}
	}
	if s.InFlight < 1 || s.InFlight > maxInFlight {
		return fmt.Errorf("in_flight: %d is not from 1 to %d", s.InFlight, maxInFlight)
	}
	if s.MaxRequests < 1 || s.MaxRequests > 1e9 {
		return fmt.Errorf("max_requests: %d is not from 1 to 1e9", s.MaxRequests)
	}
	if len(s.Classes) < 1 || len(s.Classes) > maxClasses {
		return fmt.Errorf("classes: there are %d, not 1 to %d", len(s.Classes), maxClasses)
	}
	return s.Origin.complete()
}

func (s *Scenario) checkChurn() error {
	if s.Churn == nil {
		return nil
	}
	if !(s.Churn.Rate > 0 && s.Churn.Rate <= 1000) {
		return fmt.Errorf("churn.rate: %v is not above 0 and at most 1,000", s.Churn.Rate)
	}
	for i := range s.Classes {
		if c := &s.Classes[i]; c.Name == s.Churn.Class && c.Host == "" {
			return nil
		}
	}
	return fmt.Errorf("churn.class: %q is no class with Workers of ours", s.Churn.Class)
}

// address is the host and port that are connected to.
func (s *Scenario) address() (string, error) {
	u, err := url.Parse(s.Target)
	if err != nil || u.Scheme != "http" || u.Host == "" || u.Path != "" && u.Path != "/" {
		return "", fmt.Errorf("target: %q is not http://HOST:PORT", s.Target)
	}
	if u.Port() == "" {
		return net.JoinHostPort(u.Hostname(), "80"), nil
	}
	return u.Host, nil
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
