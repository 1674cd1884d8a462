// What the engine's own binary imports: a WASI libc and the hooks of its package. The shim stands
// in for both, so the linked module asks the host for nothing but switchyard.host.
#include <string.h>

#include "vm.h"

enum { ERRNO_SUCCESS = 0, ERRNO_BADF = 8 };

#define STANDS_IN(name) __attribute__((export_name(#name)))

// Date and performance.now() take the time here: the host freezes it while guest code runs.
STANDS_IN(clock_time_get) int clock_time_get(int clock, uint64_t precision, uint64_t *nanoseconds) {
  double milliseconds = 0;
  host(HOST_NOW, vm.current, address(&milliseconds), 0, 0);
  *nanoseconds = (uint64_t)milliseconds * 1000000;
  return ERRNO_SUCCESS;
}

STANDS_IN(random_get) int random_get(uint8_t *bytes, uint32_t len) {
  if (host(HOST_RANDOM, vm.current, address(bytes), len, 0) == REFUSED) memset(bytes, 0, len);
  return ERRNO_SUCCESS;
}

// There are no files. Writes are the engine's debug output, which goes nowhere.
STANDS_IN(fd_close) int fd_close(int fd) { return ERRNO_BADF; }
STANDS_IN(fd_fdstat_get) int fd_fdstat_get(int fd, void *stat) { return ERRNO_BADF; }
STANDS_IN(fd_seek) int fd_seek(int fd, int64_t offset, int whence, void *position) { return ERRNO_BADF; }
STANDS_IN(fd_write) int fd_write(int fd, const void *vectors, int count, uint32_t *written) { return ERRNO_BADF; }

// Time zone: UTC.
STANDS_IN(host_get_timezone_offset) int host_get_timezone_offset(int low, int high) { return 0; }

// The package's own entry points call these; nothing here calls those.
STANDS_IN(host_interrupt) int host_interrupt(void) { return 0; }
STANDS_IN(host_promise_rejection) void host_promise_rejection(int promise, int reason, int handled) {}
STANDS_IN(host_module_normalize) int host_module_normalize(int base, int name) { return 0; }
STANDS_IN(host_module_load) int host_module_load(int name, int attributes) { return 0; }
STANDS_IN(host_call) int host_call(int name, int len, int self, int argc, int argv) { return 0; }
