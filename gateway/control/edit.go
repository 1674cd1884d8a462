package control

import (
	"net/http"
	"slices"

	"switchyard/engine"
)

// edit makes a version from the newest one and gives it all the traffic. It refuses when the
// newest one has not all of it already: a changed secret must not put code live that somebody
// uploaded to try, is rolling out, or rolled back.
func (s *server) edit(c *call, change func(*engine.Upload) error) (engine.Script, error) {
	script, err := s.Platform.Script(c.ref())
	if err != nil {
		return engine.Script{}, err
	}
	if !serves(script, script.Version.ID) {
		return engine.Script{}, fail(http.StatusBadRequest, codeNotDeployed,
			"the latest version of script "+quote(script.Script)+" is not deployed to all traffic: deploy it, or upload another one, before this change")
	}
	return s.Platform.Edit(c.context(), c.ref(), func(u *engine.Upload) error {
		u.Annotations = nil // they are about the version before
		return change(u)
	})
}

// serves says that the version has all of the script's traffic.
func serves(s engine.Script, version string) bool {
	return !slices.ContainsFunc(s.Deployment.Shares, func(share engine.Share) bool {
		return share.Version != version && share.Percent > 0
	})
}
