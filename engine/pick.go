package engine

import "math/rand/v2"

// pick chooses the version that answers one call, by share; nil when the script is gone.
func (s *script) pick() *version {
	shares := s.state.Load().shares
	if len(shares) == 0 {
		return nil
	}
	last := shares[len(shares)-1]
	if len(shares) == 1 {
		return last.version
	}
	at := rand.Float64() * last.upTo
	for _, sh := range shares {
		if at < sh.upTo {
			return sh.version
		}
	}
	return last.version
}
