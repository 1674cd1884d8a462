package egress

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain: no test leaves a goroutine behind, whatever its origin did.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
