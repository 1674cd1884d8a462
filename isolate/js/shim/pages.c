#include "pages.h"

#include <string.h>

// A chunk that is smaller would waste its page.
enum { PAGE = 4 << 10, SMALLEST = 3584, SLAB = 64 << 10, SLABS = 16 << 10 };

typedef struct Page {
  struct Page *next;
} Page;

static Page *free_pages;
static uint32_t slabs[SLABS / 32];  // bit: this page of wasm, of the first GiB, is one of ours
static JSMallocFunctions engine;
static size_t used;       // bytes taken and not given back
static size_t collect_at;  // of used: when the collector is to run at the next chance
static size_t refuse_at;   // of used: the next allocation that fails, when that is past the limit

// The engine collects when its heap has grown by half, which can be beyond the limit; so near the
// limit it is told to, each time the heap has grown by a sixteenth of that.
static void collect_soon(void) {
  size_t first = vm.heap_limit / 4 * 3, step = vm.heap_limit / 16;
  if (collect_at < first) collect_at = first;
  if (used < collect_at) return;
  collect_at = used + step;
  JS_SetGCThreshold(vm.rt, 1);
}

// admit says whether the limit allows size more. The allocation that passes it fails, and the
// engine throws. What it needs for that, and the guest to tell of it, is small and comes from the
// reserve, with a failure for each sixteenth of it. A guest that goes on until the reserve is gone
// is ended: the next failure would throw null.
//
//   ── heap ──┤limit ├─fails─┼─fails─┼─ … ─┤limit + reserve: FULL
static bool admit(size_t size) {
  if (used + size <= vm.heap_limit) return true;
  if (size <= PAGE && used + size <= refuse_at) return true;
  if (size > PAGE && refuse_at > vm.heap_limit) return false;
  if (used > vm.heap_limit + HEAP_RESERVE) host(HOST_FULL, vm.current, 0, 0, 0);
  refuse_at = used + HEAP_RESERVE / 16;
  return false;
}

static void *count(void *p) {
  if (p) used += engine.usable_size(p);
  collect_soon();
  return p;
}

static void discount(size_t size) {
  used -= size;
  if (used + HEAP_RESERVE / 8 < vm.heap_limit) refuse_at = 0;
  if (used + vm.heap_limit / 16 < collect_at) collect_at = 0;
}

static bool is_page(const void *p) {
  uint32_t slab = (uintptr_t)p / SLAB;
  return slab < SLABS && slabs[slab / 32] >> slab % 32 & 1;
}

static bool add_slab(void) {
  size_t slab = __builtin_wasm_memory_size(0);
  if (slab >= SLABS || __builtin_wasm_memory_grow(0, 1) != slab) return false;
  slabs[slab / 32] |= 1u << slab % 32;
  char *at = (char *)(slab * SLAB);
  for (int i = SLAB / PAGE - 1; i >= 0; i--) {
    Page *page = (Page *)(at + i * PAGE);
    page->next = free_pages;
    free_pages = page;
  }
  return true;
}

static void *take(void *opaque, size_t size) {
  if (!admit(size)) return NULL;
  bool fits = size >= SMALLEST && size <= PAGE;
  if (!fits || (!free_pages && !add_slab())) return count(engine.malloc(opaque, size));
  Page *page = free_pages;
  free_pages = page->next;
  used += PAGE;
  collect_soon();
  return page;
}

static void *take_zeros(void *opaque, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
  void *p = take(opaque, bytes);
  return p ? memset(p, 0, bytes) : NULL;
}

static void give(void *opaque, void *p) {
  if (!is_page(p)) {
    if (p) discount(engine.usable_size(p));
    engine.free(opaque, p);
    return;
  }
  discount(PAGE);
  Page *page = p;
  page->next = free_pages;
  free_pages = page;
}

static void *resize_block(void *opaque, void *p, size_t size) {
  size_t before = engine.usable_size(p);
  if (size > before && !admit(size - before)) return NULL;
  void *moved = engine.realloc(opaque, p, size);
  if (moved || size == 0) discount(before);
  return moved ? count(moved) : NULL;
}

static void *resize(void *opaque, void *p, size_t size) {
  if (!p) return take(opaque, size);
  if (!is_page(p)) return resize_block(opaque, p, size);
  if (size > 0 && size <= PAGE) return p;
  void *moved = size > 0 && admit(size) ? count(engine.malloc(opaque, size)) : NULL;
  if (moved) memcpy(moved, p, PAGE);
  if (moved || size == 0) give(opaque, p);
  return moved;
}

static size_t usable_size(const void *p) { return is_page(p) ? PAGE : engine.usable_size(p); }

// A runtime begins with the functions that it was made with.
JSRuntime *pages_runtime(JSRuntime *model) {
  static const JSMallocFunctions functions = {take_zeros, take, give, resize, usable_size};
  memcpy(&engine, model, sizeof engine);
  return JS_NewRuntime2(&functions, NULL);
}
