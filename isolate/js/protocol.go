// Package js is the JavaScript engine as bytes and numbers: the merged wasm module, the prelude,
// and the constants of the wire between host and shim. It runs nothing. The contract in prose is
// PROTOCOL.md; the same numbers are in shim/protocol.h.
package js

// Export is the shim's one entry point: (op, a, b, c i32) -> i32.
const Export = "sw_op"

// ImportModule and ImportName name the one function the shim calls:
// (op, b, c, d, e i32) -> i32, where b is the request id.
const (
	ImportModule = "switchyard"
	ImportName   = "host"
)

// Op is the first argument of sw_op: what the host wants of the guest.
type Op uint32

const (
	OpInit     Op = iota // prelude ptr, len, heap limit -> 0, or Failed + text
	OpAlloc              // n -> ptr or 0
	OpFree               // ptr
	OpIO                 // -> ptr of the I/O buffer
	OpModule             // ptr, len, kind -> 0, or Failed + text
	OpStart              // name ptr, len, kind | StartNode -> StartDone, StartPending, or Failed + text
	OpEnv                // ptr, len -> 0, or Failed + text
	OpEvent              // req, ptr, len
	OpResolve            // operation, status, ptr
	OpDrop               // req
	OpLimit              // heap limit
	OpHandlers           // -> HandlerFetch | HandlerAny
	OpGC                 //
	OpCall               // import number; values are in the I/O buffer -> 0, or Failed: it threw
	OpTurn               // req
)

// HostOp is the first argument of the import: what the guest wants of the host.
type HostOp uint32

const (
	HostLog      HostOp = 0  // level, ptr, len
	HostRespond  HostOp = 1  // RESPONSE block
	HostThrown   HostOp = 2  // ptr, message len, stack len
	HostFetch    HostOp = 3  // FETCH block, operation
	HostRead     HostOp = 4  // body handle, operation
	HostCancel   HostOp = 5  // body handle
	HostWrite    HostOp = 6  // ptr, len, operation
	HostEnd      HostOp = 7  // ptr, len of a failure's message; len 0 is a clean end
	HostTimer    HostOp = 8  // operation, milliseconds
	HostStop     HostOp = 9  // operation
	HostNow      HostOp = 10 // ptr of an f64: milliseconds since the epoch
	HostRandom   HostOp = 11 // ptr, len
	HostHold     HostOp = 12 // +1 or -1
	HostHead     HostOp = 13 // response handle, ptr, cap -> length of the head
	HostIDNA     HostOp = 14 // ptr, len, out ptr -> length, or Refused
	HostStream   HostOp = 15 // -> outgoing stream id
	HostWrite2   HostOp = 16 // WRITE2 block
	HostRejected HostOp = 17 // ptr, len
	HostGone     HostOp = 18 // operation -> Pending
	HostEnd2     HostOp = 19 // stream id, ptr, len
	HostService  HostOp = 20 // SERVICE block, operation -> length, Pending or Refused
	HostTake     HostOp = 21 // ptr, len
	HostFull     HostOp = 22 // does not return
	HostSource   HostOp = 23 // name ptr, len -> length, or Refused
	HostWake     HostOp = 24 // Refused: the request is over

	HostWasmCall        HostOp = 32 // instance, function, ptr of values -> 0, Refused or Thrown
	HostWasmMemory      HostOp = 33 // memory, base, bytes -> memory
	HostWasmInstantiate HostOp = 34 // module, ptr of imports -> instance
	HostWasmGlobal      HostOp = 35 // instance, global, ptr of its value
	HostWasmCustom      HostOp = 36 // module, custom section, ptr
	HostWasmValidate    HostOp = 37 // ptr, len -> 0 or 1
	HostWasmCount       HostOp = 38 // -> instances there are
	HostWasmAddress     HostOp = 39 // ptr -> ptr, as a number
)

// Flags beside the kind that OpStart takes.
const (
	StartNode    = 1 << 8  // the Worker is given Node's globals
	StartBuffer  = 1 << 9  // and is likely to use Buffer: it is loaded now, into the snapshot
	StartProcess = 1 << 10 // the same of process
	StartIntl    = 1 << 11 // the same of Intl
)

// Results of sw_op and of the import.
const (
	Failed       = -1 // sw_op: the text is in the I/O buffer
	Pending      = -1 // import: RESOLVE follows
	Refused      = -2 // import: an error, at once
	Thrown       = -3 // import: what JavaScript threw inside, which the shim has
	StartDone    = 0
	StartPending = 1 // the main module awaits something at its top level
)

// ClaimMask is what a promise keeps of the id of its request.
const ClaimMask = 1<<24 - 1

// Bits of OpHandlers' result.
const (
	HandlerFetch = 1 << 0
	HandlerAny   = 1 << 1
)

// Sizes in bytes.
const (
	IOBytes       = 64 << 10 // the I/O buffer
	MaxText       = 60000    // a text in the I/O buffer, after its u32 length
	EventBytes    = 7 * 4    // fixed part of the EVENT block
	ResponseBytes = 12 * 4   // the RESPONSE block
	FetchBytes    = 14 * 4   // the FETCH block
	Write2Bytes   = 4 * 4    // the WRITE2 block
	FetchedBytes  = 7 * 4    // fixed part of RESOLVE's payload for a fetch
	MaxIDNA       = 1024     // a domain in ASCII
	MaxParts      = 12       // of a service's request
	ServiceBytes  = (4 + 2*MaxParts) * 4
)

// Flags of the EVENT block, word 3.
const (
	EventHasBody = 1 << 0 // word 4 is its handle
	EventInline  = 1 << 1 // its bytes follow in the block

	EventKindShift = 8 // from here on, what the event is, as isolate.CallKind
)

// Word indexes of the EVENT block.
const (
	EventHeadLen = iota
	EventParamsLen
	EventEntrypointLen
	EventFlags
	EventBody
	EventInlineLen
	EventPropsLen
)

// Word indexes of the RESPONSE block.
const (
	ResponseStatus = iota
	ResponseHeaderCount
	ResponseHeaders
	ResponseHeadersLen
	ResponseBodyKind
	ResponseBody
	ResponseBodyLen
	ResponseFlags
	ResponseHandle
	ResponseText
	ResponseTextLen
)

// Bits of ResponseFlags.
const (
	ResponseUntouched = 1 << 0 // pass the head and body of ResponseHandle on as they are
	ResponseManual    = 1 << 1 // the body is not coded as content-encoding says
)

// Word indexes of the FETCH block.
const (
	FetchBinding = iota
	FetchRequestKind
	FetchHead
	FetchHeadLen
	FetchBodyKind
	FetchBody
	FetchBodyLen
	FetchName
	FetchNameLen
	FetchOptions
	FetchOptionsLen
	FetchRedirect
	FetchKind
)

// Word indexes of the SERVICE block.
const (
	ServiceNumber = iota
	ServiceMethod
	ServiceObject
	ServiceCount
	ServiceParts // MaxParts pairs of ptr, len
)

// Values of FetchRequestKind.
const (
	RequestFlat      = 0 // FetchHead is a flat request head
	RequestUntouched = 1 // the event's own request, head and body by handle
)

// Values of ResponseBodyKind and FetchBodyKind.
const (
	BodyNone   = 0
	BodyBytes  = 1
	BodyHandle = 2
	BodyStream = 3 // RESPOND: the guest will WRITE and END. FETCH: FetchBody is a stream id
)

// Values of FetchRedirect.
const (
	RedirectFollow = 0
	RedirectError  = 1
	RedirectManual = 2
)

// Status of OpResolve.
const (
	ResolveOK     = 0
	ResolveFailed = 1
	ResolveThrown = 2 // by another Worker
)

// LogLevelMask is the level in HostLog's first word; above it, from LogLineShift on, stands how many of
// the bytes are the line where the JSON of its arguments follows, else 0.
const (
	LogLevelMask = 1<<LogLineShift - 1
	LogLineShift = 8
)

// Log levels of HostLog, as isolate.LogLevel.
const (
	LevelDebug = iota
	LevelInfo
	LevelWarn
	LevelError
	LevelLog
)
