package control

import (
	"net/http"
	"net/netip"
	"time"

	"switchyard/engine"
)

// tokenJSON is an API token in the public shape. value is there once, in the answer that made
// it.
type tokenJSON struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	Status     string         `json:"status"`
	IssuedOn   time.Time      `json:"issued_on"`
	ModifiedOn time.Time      `json:"modified_on"`
	NotBefore  *time.Time     `json:"not_before,omitempty"`
	ExpiresOn  *time.Time     `json:"expires_on,omitempty"`
	Policies   []policyJSON   `json:"policies"`
	Condition  *conditionJSON `json:"condition,omitempty"`
	Value      string         `json:"value,omitempty"`
}

type conditionJSON struct {
	RequestIP struct {
		In    []string `json:"in,omitempty"`
		NotIn []string `json:"not_in,omitempty"`
	} `json:"request_ip"`
}

func (s *server) describeToken(t engine.Token) tokenJSON {
	out := tokenJSON{
		ID: t.ID, Name: t.Name, Status: t.Status(time.Now()), IssuedOn: stamp(t.Created), ModifiedOn: stamp(t.Modified),
		NotBefore: stampOrNone(t.NotBefore), ExpiresOn: stampOrNone(t.Expires), Policies: s.policiesOf(t),
	}
	if len(t.Allow)+len(t.Deny) > 0 {
		out.Condition = &conditionJSON{}
		out.Condition.RequestIP.In, out.Condition.RequestIP.NotIn = texts(t.Allow), texts(t.Deny)
	}
	return out
}

func stampOrNone(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = stamp(t)
	return &t
}

func texts(prefixes []netip.Prefix) []string {
	return collect(prefixes, netip.Prefix.String)
}

// tokenBody is what a client sends of one.
type tokenBody struct {
	Name      string         `json:"name"`
	Status    string         `json:"status"`
	NotBefore *time.Time     `json:"not_before"`
	ExpiresOn *time.Time     `json:"expires_on"`
	Policies  []policyBody   `json:"policies"`
	Condition *conditionJSON `json:"condition"`
}

// spec turns it into what the engine keeps. Nobody gives a token more than he has himself.
func (s *server) spec(c *call, b *tokenBody) (engine.TokenSpec, error) {
	spec := engine.TokenSpec{Name: b.Name, Disabled: b.Status == "disabled"}
	if b.Status != "" && b.Status != "active" && b.Status != "disabled" {
		return spec, refuse("status: " + quote(b.Status) + " is neither active nor disabled")
	}
	if b.NotBefore != nil {
		spec.NotBefore = *b.NotBefore
	}
	if b.ExpiresOn != nil {
		spec.Expires = *b.ExpiresOn
	}
	var err error
	if spec.Scope, err = s.scopeOf(b.Policies); err != nil {
		return spec, err
	}
	if !c.who.Scope.Covers(spec.Scope) {
		return spec, fail(http.StatusForbidden, codeAuth, "policies: token "+quote(c.who.Name)+" cannot give what it may not do itself")
	}
	if b.Condition == nil {
		return spec, nil
	}
	if spec.Allow, err = prefixes("condition.request_ip.in", b.Condition.RequestIP.In); err != nil {
		return spec, err
	}
	spec.Deny, err = prefixes("condition.request_ip.not_in", b.Condition.RequestIP.NotIn)
	return spec, err
}

// prefixes reads CIDRs and single addresses.
func prefixes(field string, texts []string) (all []netip.Prefix, err error) {
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if addr, addrErr := netip.ParseAddr(text); addrErr == nil {
			p, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return nil, refuse(field + ": " + quote(text) + " is not an address or a CIDR")
		}
		all = append(all, p.Masked())
	}
	return all, nil
}

func (s *server) listTokens(c *call) (any, error) {
	return onePage(c, collect(s.Platform.Tokens(), s.describeToken)), nil
}

func (s *server) getToken(c *call) (any, error) {
	return described(s.describeToken)(s.Platform.Token(c.param("token")))
}

func (s *server) createToken(c *call) (any, error) {
	var body tokenBody
	if err := c.readJSON(&body); err != nil {
		return nil, err
	}
	spec, err := s.spec(c, &body)
	if err != nil {
		return nil, err
	}
	t, secret, err := s.Platform.CreateToken(c.context(), spec)
	if err != nil {
		return nil, err
	}
	out := s.describeToken(t)
	out.Value = secret
	return out, nil
}

// owned refuses a change of a token that may do more than the caller.
func (s *server) owned(c *call) error {
	t, err := s.Platform.Token(c.param("token"))
	if err == nil && !c.who.Scope.Covers(t.Scope) {
		return fail(http.StatusForbidden, codeAuth, "Authentication error: token "+quote(t.Name)+" may do what token "+quote(c.who.Name)+" may not")
	}
	return err
}

func (s *server) updateToken(c *call) (any, error) {
	if err := s.owned(c); err != nil {
		return nil, err
	}
	var body tokenBody
	if err := c.readJSON(&body); err != nil {
		return nil, err
	}
	spec, err := s.spec(c, &body)
	if err != nil {
		return nil, err
	}
	return described(s.describeToken)(s.Platform.UpdateToken(c.context(), c.param("token"), spec))
}

func (s *server) rollToken(c *call) (any, error) {
	if err := s.owned(c); err != nil {
		return nil, err
	}
	return s.Platform.RollToken(c.context(), c.param("token"))
}

func (s *server) deleteToken(c *call) (any, error) {
	if err := s.owned(c); err != nil {
		return nil, err
	}
	id := c.param("token")
	return map[string]string{"id": id}, s.Platform.DeleteToken(c.context(), id)
}

// verifyToken tells a token about itself.
func (s *server) verifyToken(c *call) (any, error) {
	return struct {
		ID        string     `json:"id"`
		Status    string     `json:"status"`
		NotBefore *time.Time `json:"not_before,omitempty"`
		ExpiresOn *time.Time `json:"expires_on,omitempty"`
	}{c.who.ID, c.who.Status(time.Now()), stampOrNone(c.who.NotBefore), stampOrNone(c.who.Expires)}, nil
}

// tokenEndpoints are the same for tokens of a user and of the account: there is one operator.
func (s *server) tokenEndpoints(path string) []row {
	return []row{
		{"GET", path + "/verify", s.verifyToken},
		{"GET", path + "/permission_groups", s.listPermissionGroups},
		{"GET", path, s.listTokens},
		{"POST", path, s.createToken},
		{"GET", path + "/{token}", s.getToken},
		{"PUT", path + "/{token}", s.updateToken},
		{"DELETE", path + "/{token}", s.deleteToken},
		{"PUT", path + "/{token}/value", s.rollToken},
	}
}
