;; The guest of the naive peers: no request, no Worker's API, only an address and a length.
(module
  (memory (export "memory") 1)
  (data (i32.const 8) "Hello")
  (func (export "handle") (result i64) (i64.const 0x800000005)))
