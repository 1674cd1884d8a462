package control

import "net/http"

// There is one operator, whoever holds the token.
const (
	operatorID    = "00000000000000000000000000000001"
	operatorEmail = "operator@localhost"
	accountName   = "Switchyard"
)

type accountJSON struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
}

func (s *server) account() accountJSON { return accountJSON{s.Account, accountName, "standard"} }

func (s *server) getUser(*call) (any, error) {
	return map[string]string{"id": operatorID, "email": operatorEmail, "username": "operator"}, nil
}

func (s *server) listAccounts(c *call) (any, error) {
	return onePage(c, []accountJSON{s.account()}), nil
}

func (s *server) getAccount(*call) (any, error) { return s.account(), nil }

func (s *server) listMemberships(c *call) (any, error) {
	return onePage(c, []any{map[string]any{
		"id": operatorID, "status": "accepted", "account": s.account(), "roles": []string{"Administrator"},
	}}), nil
}

// none is the empty list of a product that a client looks into on its way to something else.
func none(c *call) (any, error) { return onePage(c, []any{}), nil }

// absent answers for a product that this server does not have.
func absent(product string) endpoint {
	return func(*call) (any, error) {
		return nil, fail(http.StatusNotImplemented, codeUnsupported, product+": not available on this server")
	}
}
