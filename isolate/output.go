package isolate

import "bytes"

// guestOutput is a guest's stdout and stderr: lines for the log of the running call. Runtimes
// write a line in pieces, so a line is kept until its end is there, or its call leaves.
type guestOutput struct {
	is   *Isolate
	line []byte // begun, at most maxLine
}

// maxLine is the most of one log line that is kept.
const maxLine = 16 << 10

// Write implements io.Writer.
func (o *guestOutput) Write(p []byte) (int, error) {
	c := o.is.meter.call
	for rest := p; len(rest) > 0; {
		line, after, whole := bytes.Cut(rest, []byte{'\n'})
		if rest = after; whole && len(o.line) == 0 {
			logLine(c, line)
			continue
		}
		o.line = append(o.line, line[:min(len(line), maxLine-len(o.line))]...)
		if whole {
			o.flush(c)
		}
	}
	return len(p), nil
}

// flush logs the line that has begun, for c.
func (o *guestOutput) flush(c *Call) {
	if len(o.line) > 0 {
		logLine(c, o.line)
		o.line = o.line[:0]
	}
}

func logLine(c *Call, line []byte) {
	if c != nil {
		c.log(LogInfo, line[:min(len(line), maxLine)])
	}
}
