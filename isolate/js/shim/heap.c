#include "heap.h"

#include "object.h"

// The engine keeps blocks of up to 512 bytes in pages of 4 KiB, one size class each:
//
//   class, its header of 8 bytes included    16 24 … 128   144 160 … 256   288 320 … 512
//
// A page that has become empty is given back, and making one writes all of it. A class whose
// pages are full when the snapshot is taken would do both on every request. So each class gets
// room for what a request holds at once, in a page that one block keeps for ever.
enum { HEADER = 8, SMALLEST = 16, LARGEST = 512, ROOM_BYTES = 1536, MAX_BLOCKS = 32 };

static size_t next_class(size_t size) { return size + (size < 128 ? 8 : size < 256 ? 16 : 32); }

static void make_room(size_t class) {
  void *blocks[MAX_BLOCKS];
  size_t count = ROOM_BYTES / class < MAX_BLOCKS ? ROOM_BYTES / class : MAX_BLOCKS;
  for (size_t i = 0; i < count; i++) blocks[i] = js_realloc_rt(vm.rt, NULL, class - HEADER);
  while (--count > 0) js_free_rt(vm.rt, blocks[count - 1]);
}

void heap_settle(void) {
  JS_RunGC(vm.rt);
  for (size_t class = SMALLEST; class <= LARGEST; class = next_class(class)) make_room(class);
}
