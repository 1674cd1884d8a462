package loadtest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// Record is a file of raw data: NDJSON, one object a line, told apart by its key.
//
//	{"head": …}      once: what was run, where, by which versions
//	{"window": …}    every second of every run, with the run's phase and repeat
//	{"result": …}    every run, its windows left out, with whole histograms
//
// Readers skip keys they do not know.
type Record struct {
	Head    Head
	Results []*Result
}

// Head says what was run.
type Head struct {
	Format    int       `json:"format"` // 1
	Began     time.Time `json:"began"`
	Scenario  Scenario  `json:"scenario"`
	Seed      uint64    `json:"seed"`
	Generator string    `json:"generator"` // version of this program: its source's revision
	Go        string    `json:"go"`
	Host      string    `json:"host"`
	CPUs      int       `json:"cpus"`
	Kernel    string    `json:"kernel"`
	Server    string    `json:"server,omitempty"` // its version, where it is ours
}

// NewHead describes this program and machine.
func NewHead(s Scenario, server string) Head {
	h := Head{Format: 1, Began: time.Now().UTC(), Scenario: s, Seed: s.Seed, Go: runtime.Version(), CPUs: runtime.NumCPU(), Server: server, Generator: revision()}
	h.Host, _ = os.Hostname() // a nameless machine is fine
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	h.Kernel = strings.TrimSpace(string(kernel))
	return h
}

func revision() string {
	info, found := debug.ReadBuildInfo()
	if !found {
		return "unknown"
	}
	revision, dirty := "unknown", ""
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case "vcs.modified":
			if s.Value == "true" {
				dirty = "+changes"
			}
		}
	}
	return revision + dirty
}

// line is one line of a record.
type line struct {
	Head   *Head       `json:"head,omitempty"`
	Window *windowLine `json:"window,omitempty"`
	Result *Result     `json:"result,omitempty"`
}

type windowLine struct {
	Phase  string `json:"phase,omitempty"`
	Repeat int    `json:"repeat"`
	Window
}

// Write writes a record.
func (r *Record) Write(w io.Writer) error {
	buffered := bufio.NewWriter(w)
	enc := json.NewEncoder(buffered)
	if err := enc.Encode(line{Head: &r.Head}); err != nil {
		return err
	}
	for _, result := range r.Results {
		for _, window := range result.Windows {
			if err := enc.Encode(line{Window: &windowLine{result.Phase, result.Repeat, window}}); err != nil {
				return err
			}
		}
		bare := *result
		bare.Windows = nil
		if err := enc.Encode(line{Result: &bare}); err != nil {
			return err
		}
	}
	return buffered.Flush()
}

// WriteFile writes a record to a file, or to standard output as "-".
func (r *Record) WriteFile(name string) error {
	if name == "-" {
		return r.Write(os.Stdout)
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(r.Write(f), f.Close())
}

const maxRecordLine = 64 << 20

// ReadRecord reads what Write wrote.
func ReadRecord(in io.Reader) (*Record, error) {
	r := &Record{}
	var windows []Window
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxRecordLine)
	for n := 1; lines.Scan(); n++ {
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		switch {
		case l.Head != nil:
			r.Head = *l.Head
		case l.Window != nil:
			windows = append(windows, l.Window.Window)
		case l.Result != nil:
			l.Result.Windows, windows = windows, nil
			r.Results = append(r.Results, l.Result)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if r.Head.Format != 1 {
		return nil, fmt.Errorf("not a record of loadtest: the format is %d, not 1", r.Head.Format)
	}
	if len(r.Results) == 0 {
		return nil, errors.New("a record without a result: the run did not end")
	}
	return r, nil
}

// ReadRecordFile reads a file.
func ReadRecordFile(name string) (*Record, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := ReadRecord(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}
