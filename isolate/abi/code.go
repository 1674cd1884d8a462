package abi

import "strconv"

// Code is what a function of Module returns instead of a length, a count or a handle. All
// codes are negative, so that a guest needs one comparison. A guest that breaks the contract
// itself (memory that it does not have, another request's id) is not answered: it traps.
type Code int32

const (
	OK         Code = 0   // what functions without another result return
	NotFound   Code = -1  // no such env entry, binding, or head
	BadHandle  Code = -2  // not a handle of this request, or given up, or of another kind
	BadState   Code = -3  // too late or too early: answered twice, a body that was passed on
	BadHead    Code = -4  // the head does not parse, or may not be sent
	BadArg     Code = -5  // an argument out of its range
	Limit      Code = -6  // a ceiling was reached: subrequests, handles, body size
	Failed     Code = -7  // the operation failed; op_error has the text
	Pending    Code = -8  // the operation is still under way: wait for it
	Timeout    Code = -9  // nothing became ready in time
	Gone       Code = -10 // nobody reads this stream any more
	Broken     Code = -11 // the body ended before its end
	OutOfScope Code = -12 // needs a request, and there is none: request id 0
)

var codeNames = [...]string{
	"OK", "NotFound", "BadHandle", "BadState", "BadHead", "BadArg", "Limit", "Failed",
	"Pending", "Timeout", "Gone", "Broken", "OutOfScope",
}

// Codes returns every code with its meaning's name, for tables and tests.
func Codes() []Code {
	all := make([]Code, len(codeNames))
	for i := range all {
		all[i] = Code(-i)
	}
	return all
}

func (c Code) String() string {
	if c > 0 || int(-c) >= len(codeNames) {
		return "Code(" + strconv.Itoa(int(c)) + ")"
	}
	return codeNames[-c]
}

// Error makes a Code an error for guests written in Go.
func (c Code) Error() string { return "switchyard: " + c.String() }
