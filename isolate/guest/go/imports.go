//go:build wasip1

package worker

import "unsafe"

// The functions of switchyard:abi/1; ABI.md says what each does.

//go:wasmimport switchyard:abi/1 request_head
func requestHead(req uint32, p unsafe.Pointer, room uint32) int32

//go:wasmimport switchyard:abi/1 request_body
func requestBody(req uint32) int32

//go:wasmimport switchyard:abi/1 body_read
func bodyRead(req uint32, body int32, p unsafe.Pointer, room uint32) int32

//go:wasmimport switchyard:abi/1 response_send
func responseSend(req uint32, head unsafe.Pointer, headLen uint32, body unsafe.Pointer, bodyLen uint32) int32

//go:wasmimport switchyard:abi/1 response_start
func responseStart(req uint32, head unsafe.Pointer, headLen uint32) int32

//go:wasmimport switchyard:abi/1 response_pass
func responsePass(req uint32, handle int32, head unsafe.Pointer, headLen uint32) int32

//go:wasmimport switchyard:abi/1 throw
func throw(req uint32, p unsafe.Pointer, n, stackLen uint32) int32

//go:wasmimport switchyard:abi/1 stream_new
func streamNew(req uint32) int32

//go:wasmimport switchyard:abi/1 stream_write
func streamWrite(req uint32, stream int32, p unsafe.Pointer, n uint32) int32

//go:wasmimport switchyard:abi/1 stream_end
func streamEnd(req uint32, stream int32, failed uint32) int32

//go:wasmimport switchyard:abi/1 fetch
func fetch(req uint32, block unsafe.Pointer) int32

//go:wasmimport switchyard:abi/1 wait
func wait(req uint32, ops unsafe.Pointer, count uint32, timeout int32) int32

//go:wasmimport switchyard:abi/1 op_response
func opResponse(req uint32, op int32) int32

//go:wasmimport switchyard:abi/1 op_error
func opError(req uint32, op int32, p unsafe.Pointer, room uint32) int32

//go:wasmimport switchyard:abi/1 response_head
func responseHead(req uint32, response int32, p unsafe.Pointer, room uint32) int32

//go:wasmimport switchyard:abi/1 response_body
func responseBody(req uint32, response int32) int32

//go:wasmimport switchyard:abi/1 response_url
func responseURL(req uint32, response int32, p unsafe.Pointer, room uint32) int32

//go:wasmimport switchyard:abi/1 close
func closeHandle(req uint32, handle int32) int32

//go:wasmimport switchyard:abi/1 env
func envText(req uint32, name unsafe.Pointer, nameLen uint32, p unsafe.Pointer, room uint32) int32

//go:wasmimport switchyard:abi/1 binding
func bindingIndex(req uint32, name unsafe.Pointer, nameLen uint32) int32

//go:wasmimport switchyard:abi/1 log
func logLine(req, level uint32, p unsafe.Pointer, n uint32) int32

// at and size are how the host takes a slice or string. Go's collector does not move memory.
func at(b []byte) unsafe.Pointer         { return unsafe.Pointer(unsafe.SliceData(b)) }
func atText(s string) unsafe.Pointer     { return unsafe.Pointer(unsafe.StringData(s)) }
func size[T []byte | string](v T) uint32 { return uint32(len(v)) }

// collect calls a function that says how much room it needs, until the room is enough.
func collect(buf []byte, call func(p unsafe.Pointer, room uint32) int32) ([]byte, int32) {
	for {
		n := call(at(buf), size(buf))
		if n < 0 {
			return nil, n
		}
		if int(n) <= len(buf) {
			return buf[:n], n
		}
		buf = make([]byte, n)
	}
}
