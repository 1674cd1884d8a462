package control

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"switchyard/engine"
)

// policyBody is a policy as a client sends it.
type policyBody struct {
	Effect    string                     `json:"effect"`
	Groups    []groupBody                `json:"permission_groups"`
	Resources map[string]json.RawMessage `json:"resources"`
}

type groupBody struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// policyJSON is a policy as it is shown: the grants of one resource.
type policyJSON struct {
	ID        string            `json:"id"`
	Effect    string            `json:"effect"`
	Groups    []groupJSON       `json:"permission_groups"`
	Resources map[string]string `json:"resources"`
}

type groupJSON struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Names of resources: the public ones of an account and of its user, and ours of a namespace.
const (
	resourceAccount   = "com.cloudflare.api.account."
	resourceUser      = "com.cloudflare.api.user."
	resourceNamespace = "switchyard.namespace."
)

// scopeOf reads policies. What it cannot grant exactly it refuses.
func (s *server) scopeOf(policies []policyBody) (engine.Scope, error) {
	var scope engine.Scope
	if len(policies) > engine.MaxGrants {
		return nil, refuse("policies: too many")
	}
	for i, p := range policies {
		where := "policies[" + strconv.Itoa(i) + "]."
		if p.Effect != "" && p.Effect != "allow" {
			return nil, refuse(where + "effect: " + quote(p.Effect) + " is not supported by this server, only allow")
		}
		namespaces, err := s.resources(where+"resources", p.Resources)
		if err != nil {
			return nil, err
		}
		for j, g := range p.Groups {
			group, ok := findGroup(g)
			if !ok {
				return nil, refuse(where + "permission_groups[" + strconv.Itoa(j) + "]: there is no group " + quote(g.ID+g.Name))
			}
			for _, namespace := range namespaces {
				scope = append(scope, engine.Grant{Area: group.area, Write: group.write, Namespace: namespace})
			}
		}
	}
	return scope, nil
}

// resources returns the ids of the namespaces that a policy is about; "" is the account.
func (s *server) resources(where string, sent map[string]json.RawMessage) ([]string, error) {
	if len(sent) == 0 {
		return nil, refuse(where + ": a policy needs one, as in {\"" + resourceAccount + s.Account + "\":\"*\"}")
	}
	var ids []string
	for _, key := range slices.Sorted(maps.Keys(sent)) {
		if below := map[string]json.RawMessage{}; strings.HasPrefix(key, resourceAccount) && json.Unmarshal(sent[key], &below) == nil {
			nested, err := s.resources(where+"."+key, below)
			if err != nil {
				return nil, err
			}
			ids = append(ids, nested...)
			continue
		}
		if string(sent[key]) != `"*"` {
			return nil, refuse(where + "." + key + `: expected "*"`)
		}
		id, err := s.resource(key)
		if err != nil {
			return nil, refuse(where + ": " + err.Error())
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func (s *server) resource(key string) (string, error) {
	if name, ok := strings.CutPrefix(key, resourceNamespace); ok {
		all := s.Platform.Namespaces()
		i := slices.IndexFunc(all, func(n engine.Namespace) bool { return n.ID == name || n.Name == name })
		if i < 0 {
			return "", refuse("there is no dispatch namespace " + quote(name))
		}
		return all[i].ID, nil
	}
	if key == resourceAccount+s.Account || key == resourceAccount+"*" || strings.HasPrefix(key, resourceUser) {
		return "", nil
	}
	return "", refuse(quote(key) + " is not a resource of this server: " + resourceAccount + s.Account + " or " + resourceNamespace + "NAME")
}

// policiesOf shows a token's scope, one policy a resource.
func (s *server) policiesOf(t engine.Token) []policyJSON {
	groups := map[string][]groupJSON{}
	for _, g := range t.Scope {
		group := groupOf(g)
		groups[g.Namespace] = append(groups[g.Namespace], groupJSON{group.id, group.name})
	}
	policies := []policyJSON{}
	for _, namespace := range slices.Sorted(maps.Keys(groups)) {
		key := resourceAccount + s.Account
		if namespace != "" {
			key = resourceNamespace + namespace
		}
		policies = append(policies, policyJSON{zoneID(t.ID + key), "allow", groups[namespace], map[string]string{key: "*"}})
	}
	return policies
}

// permissionGroup is a grant under the public API's name for it, and two of our own.
type permissionGroup struct {
	id, name string
	area     engine.Area
	write    bool
}

// permissionGroups have the public API's ids and names; "Workers Scripts" is everything about
// Workers and namespaces.
var permissionGroups = []permissionGroup{
	{"1a71c399035b4950a1bd1466bbe4f420", "Workers Scripts Read", engine.AreaScripts, false},
	{"e086da7e2179491d91ee5f35b3ca210a", "Workers Scripts Write", engine.AreaScripts, true},
	{"2072033d694d415a936eaeb94e6405b8", "Workers Routes Read", engine.AreaRoutes, false},
	{"28f4b596e7d643029c524985477ae49a", "Workers Routes Write", engine.AreaRoutes, true},
	{"8b47d2786a534c08a1f94ee8f9f599ef", "Workers KV Storage Read", engine.AreaKV, false},
	{"f7f0eda5697f475c90846e879bab8666", "Workers KV Storage Write", engine.AreaKV, true},
	{"05880cd1bdc24d8bae0be2136972816b", "Workers Tail Read", engine.AreaTail, false},
	{"0cc3a61731504c89b99ec1be78b77aa0", "API Tokens Read", engine.AreaTokens, false},
	{"686d18d5ac6c441c867cbf6771e58a0a", "API Tokens Write", engine.AreaTokens, true},
	{"b89a480218d04ceb98b4fe57ca29dc1f", "Account Analytics Read", engine.AreaMetrics, false},
	{"5377697463687961726420526561640a", "Switchyard Read", engine.AreaAll, false},
	{"53776974636879617264204164310a0a", "Switchyard Admin", engine.AreaAll, true},
}

func findGroup(g groupBody) (permissionGroup, bool) {
	i := slices.IndexFunc(permissionGroups, func(p permissionGroup) bool { return p.id == g.ID || g.ID == "" && p.name == g.Name })
	if i < 0 {
		return permissionGroup{}, false
	}
	return permissionGroups[i], true
}

// groupOf names a grant; one that no group gives (tails written) is shown as the one that reads.
func groupOf(g engine.Grant) permissionGroup {
	shown := permissionGroup{name: string(g.Area)}
	for _, p := range permissionGroups {
		if p.area == g.Area && (p.write == g.Write || shown.id == "") {
			shown = p
		}
	}
	return shown
}

func (s *server) listPermissionGroups(c *call) (any, error) {
	type permissionGroupJSON struct {
		groupJSON
		Scopes []string `json:"scopes"`
	}
	return onePage(c, collect(permissionGroups, func(p permissionGroup) permissionGroupJSON {
		scopes := []string{strings.TrimSuffix(resourceAccount, ".")}
		if p.area == engine.AreaScripts || p.area == engine.AreaAll || p.area == engine.AreaTail {
			scopes = append(scopes, strings.TrimSuffix(resourceNamespace, "."))
		}
		return permissionGroupJSON{groupJSON{p.id, p.name}, scopes}
	})), nil
}
