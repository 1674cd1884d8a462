package main

import (
	"io"

	"github.com/VictoriaMetrics/metrics"
)

// writeProcessMetrics adds what every Go process can tell: memory, CPU time, goroutines.
func writeProcessMetrics(w io.Writer) { metrics.WriteProcessMetrics(w) }
