package main

import (
	"fmt"
	"time"

	"switchyard/isolate"
)

// callLimits is the ceiling of one call where neither its dispatch nor its script sets one.
// Zero means the default: no call goes without a CPU limit.
type callLimits struct {
	CPU           int     `yaml:"cpu_ms"`         // Default: 50; of plain Workers 30,000
	Wall          int     `yaml:"wall_ms"`        // Default: none
	Subrequests   int     `yaml:"subrequests"`    // Default: 1,000; of plain Workers 10,000
	ResponseBytes int64   `yaml:"response_bytes"` // Default: none
	LogBytes      int64   `yaml:"log_bytes"`      // Default: 256 KiB; of plain Workers 1 MiB
	EgressBytes   int64   `yaml:"egress_bytes"`   // Default: none
	Concurrent    int     `yaml:"concurrent"`     // calls of one script at once. Default: none
	Rate          float64 `yaml:"rate"`           // calls of one script a second. Default: none
}

// limitsConfig is the ceiling of every call to a user Worker, and what all Workers share.
type limitsConfig struct {
	callLimits   `yaml:",inline"`
	Memory       int   `yaml:"memory_mb"`         // of one isolate. Default: 128
	RequestBytes int64 `yaml:"request_bytes"`     // of a request's body at the ingress. Default: 100 MiB
	Startup      int   `yaml:"startup_cpu_ms"`    // of evaluating an upload. Default: 400
	Compile      int   `yaml:"compile_cpu_ms"`    // of compiling one wasm module. Default: 10,000
	CompileMem   int   `yaml:"compile_memory_mb"` // of the process that does. Default: 1,024
	Isolates     int   `yaml:"isolates"`          // of one version. Default: 64
	Warm         int   `yaml:"warm_mb"`           // of all isolates and snapshots, before idle ones go. Default: 1,024
	Suspended    int   `yaml:"suspended_per_js"`  // requests waiting in one JavaScript isolate of a user Worker. Default: 8; plain Workers: 32
}

func (l callLimits) limits() isolate.Limits {
	return isolate.Limits{
		CPU:           time.Duration(l.CPU) * time.Millisecond,
		Wall:          time.Duration(l.Wall) * time.Millisecond,
		Subrequests:   l.Subrequests,
		ResponseBytes: l.ResponseBytes,
		LogBytes:      l.LogBytes,
		EgressBytes:   l.EgressBytes,
		Concurrent:    l.Concurrent,
		Rate:          l.Rate,
	}
}

// bound is a setting and the range it must be in.
type bound struct {
	key         string
	value       int64
	least, most int64
}

const noMost = 1<<63 - 1

func checkBounds(section string, bounds ...bound) error {
	for _, b := range bounds {
		if b.value < b.least {
			return usageError{fmt.Errorf("%s.%s: %d is less than %d", section, b.key, b.value, b.least)}
		}
		if b.value > b.most {
			return usageError{fmt.Errorf("%s.%s: %d is more than %d", section, b.key, b.value, b.most)}
		}
	}
	return nil
}

func (l callLimits) check(section string) error {
	if !(l.Rate >= 0 && l.Rate <= 1e6) {
		return usageError{fmt.Errorf("%s.rate: %g is not between 0 and 1000000", section, l.Rate)}
	}
	return checkBounds(section,
		bound{"cpu_ms", int64(l.CPU), 0, noMost}, bound{"wall_ms", int64(l.Wall), 0, noMost},
		bound{"subrequests", int64(l.Subrequests), 0, noMost},
		bound{"response_bytes", l.ResponseBytes, 0, noMost}, bound{"log_bytes", l.LogBytes, 0, noMost},
		bound{"egress_bytes", l.EgressBytes, 0, noMost}, bound{"concurrent", int64(l.Concurrent), 0, noMost})
}

func (l limitsConfig) check() error {
	if err := l.callLimits.check("limits"); err != nil {
		return err
	}
	return checkBounds("limits",
		bound{"memory_mb", int64(l.Memory), 16, 4096}, bound{"request_bytes", l.RequestBytes, 0, noMost},
		bound{"compile_cpu_ms", int64(l.Compile), 10, 600_000}, bound{"compile_memory_mb", int64(l.CompileMem), 64, 65_536},
		bound{"startup_cpu_ms", int64(l.Startup), 1, noMost}, bound{"isolates", int64(l.Isolates), 1, noMost},
		bound{"warm_mb", int64(l.Warm), 64, 1 << 20},
		bound{"suspended_per_js", int64(l.Suspended), 1, noMost})
}
