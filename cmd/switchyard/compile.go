package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"switchyard/isolate"
)

// compileCommand is what serve runs once for every wasm module: the module comes on standard
// input, its native code goes to standard output. It limits nothing by itself: serve does.
func compileCommand(args []string, stdout, _ io.Writer) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unexpected argument %q", args[0])}
	}
	return isolate.CompileStdin(os.Stdin, stdout)
}

// compiler makes modules compiled by this same program.
func (l limitsConfig) compiler() isolate.Compiler {
	return isolate.Compiler{
		Command: []string{thisProgram(), "compile"},
		CPU:     time.Duration(l.Compile) * time.Millisecond, Memory: int64(l.CompileMem) << 20,
	}
}

// thisProgram is the binary that runs, even when its file has been replaced by a newer one,
// whose native code would be another version's.
func thisProgram() string {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe"
	}
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}
