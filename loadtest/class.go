package loadtest

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// complete checks a class and fills in what it leaves open, for a run of total.
func (c *Class) complete(total time.Duration) error {
	if !className.MatchString(c.Name) {
		return fmt.Errorf("name: %q is not 1 to 20 of a-z, 0-9 and -", c.Name)
	}
	switch c.Role {
	case "", "victim", "aggressor":
	default:
		return fmt.Errorf("role: %q is not victim or aggressor", c.Role)
	}
	if c.VUs < 0 || c.VUs > maxInFlight {
		return fmt.Errorf("vus: %d is not from 0 to %d", c.VUs, maxInFlight)
	}
	if c.VUs > 0 && c.Arrivals != (Arrivals{}) {
		return fmt.Errorf("vus: a closed loop has no arrivals")
	}
	if c.VUs == 0 {
		if err := c.Arrivals.complete(total); err != nil {
			return fmt.Errorf("arrivals.%w", err)
		}
	}
	if _, err := ParseSLO(c.SLO); err != nil {
		return err
	}
	if c.Host == "" && c.Path != "" {
		return fmt.Errorf("path: only with host; our own Workers have theirs")
	}
	if c.Host == "" {
		return c.completeTenants()
	}
	orDefault(&c.Path, "/")
	if !strings.HasPrefix(c.Path, "/") || strings.ContainsAny(c.Path+c.Host, " \r\n\t") {
		return fmt.Errorf("host, path: %q, %q: the path begins with /, and neither has spaces", c.Host, c.Path)
	}
	return c.completeTenants()
}

func (c *Class) completeTenants() error {
	if err := c.Tenants.complete(c.Host == ""); err != nil {
		return fmt.Errorf("tenants.%w", err)
	}
	return nil
}

func (p *Population) complete(own bool) error {
	orDefault(&p.Count, 1)
	if p.Count < 1 || p.Count > maxTenants {
		return fmt.Errorf("count: %d is not from 1 to %d", p.Count, maxTenants)
	}
	if !(p.Zipf >= 0 && p.Zipf <= 10) {
		return fmt.Errorf("zipf: %v is not from 0 to 10", p.Zipf)
	}
	if !(p.Cold >= 0 && p.Cold <= 1) {
		return fmt.Errorf("cold: %v is not from 0 to 1", p.Cold)
	}
	if p.Cold > 0 {
		orDefault(&p.ColdCount, 200)
	}
	if p.ColdCount < 0 || p.ColdCount > maxTenants || p.Cold == 0 && p.ColdCount > 0 {
		return fmt.Errorf("cold_count: %d is not from 1 to %d, with cold", p.ColdCount, maxTenants)
	}
	switch p.Isolation {
	case "", "reuse", "request":
	default:
		return fmt.Errorf("isolation: %q is not reuse or request", p.Isolation)
	}
	if !own {
		if len(p.Kinds) > 0 || p.Cold > 0 || p.Isolation != "" {
			return fmt.Errorf("kinds, cold, isolation: not with host, where nothing is deployed")
		}
		return nil
	}
	if len(p.Kinds) == 0 {
		p.Kinds = map[string]float64{"js-hello": 1}
	}
	_, err := newMix(p.Kinds)
	return err
}

// total is how many tenants there are, the cold ones behind the others.
func (p *Population) total() int { return p.Count + p.ColdCount }

// script is the name of a class's tenant, numbered from 1.
func (c *Class) script(tenant int) string { return "lt-" + c.Name + "-" + strconv.Itoa(tenant) }

// hostOf is the Host header for a tenant, numbered from 1.
func (c *Class) hostOf(domain string, tenant int) string {
	if c.Host != "" {
		return strings.ReplaceAll(c.Host, "%d", strconv.Itoa(tenant))
	}
	return c.script(tenant) + "." + domain
}

// loop names the model of the class.
func (c *Class) loop() string {
	if c.VUs > 0 {
		return fmt.Sprintf("CLOSED loop, %d users: waits hide in it", c.VUs)
	}
	return "open loop, " + c.Arrivals.String()
}
