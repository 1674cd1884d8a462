#include "heap.h"

#include <stdlib.h>
#include <string.h>

#include "object.h"

// The engine keeps blocks of up to 512 bytes in pages of 4 KiB, one size class each:
//
//   class, its header of 8 bytes included    16 24 … 128   144 160 … 256   288 320 … 512
//
// A page that has become empty is given back, and making one writes all of it. A class whose
// pages are full when the snapshot is taken would do both on every request. So each class gets
// room for what a request holds at once, in a page that one block keeps for ever.
enum { HEADER = 8, SMALLEST = 16, LARGEST = 512, ROOM_BYTES = 1536, MAX_BLOCKS = 96 };

static size_t next_class(size_t size) { return size + (size < 128 ? 8 : size < 256 ? 16 : 32); }

static void make_room(size_t class) {
  void *blocks[MAX_BLOCKS];
  size_t count = ROOM_BYTES / class < MAX_BLOCKS ? ROOM_BYTES / class : MAX_BLOCKS;
  for (size_t i = 0; i < count; i++) blocks[i] = js_realloc_rt(vm.rt, NULL, class - HEADER);
  while (--count > 0) js_free_rt(vm.rt, blocks[count - 1]);
}

// Free is memory taken only to be cleared.
typedef struct Free {
  struct Free *next;
} Free;

static size_t memory_size(void) { return __builtin_wasm_memory_size(0); }

// clear_blocks takes free memory in blocks of that size until there is none without growing.
static Free *clear_blocks(Free *taken, size_t size) {
  size_t pages = memory_size();
  for (;;) {
    Free *block = malloc(size);
    if (!block || memory_size() > pages) {
      free(block);
      return taken;
    }
    memset(block, 0, size);
    block->next = taken;
    taken = block;
  }
}

static void clear_free(size_t smallest) {
  Free *taken = NULL;
  for (size_t size = 256 << 10; size >= smallest; size /= 2) taken = clear_blocks(taken, size);
  while (taken) {
    Free *next = taken->next;
    free(taken);
    taken = next;
  }
}

void heap_settle(void) {
  JS_RunGC(vm.rt);
  // What starting has left behind becomes zeros: zero pages cost an image nothing. The first time
  // leaves the headers of blocks that were freed side by side.
  clear_free(4 << 10);
  clear_free(64 << 10);
  for (size_t class = SMALLEST; class <= LARGEST; class = next_class(class)) make_room(class);
}
