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
  bool fits = size >= SMALLEST && size <= PAGE;
  if (!fits || (!free_pages && !add_slab())) return engine.malloc(opaque, size);
  Page *page = free_pages;
  free_pages = page->next;
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
    engine.free(opaque, p);
    return;
  }
  Page *page = p;
  page->next = free_pages;
  free_pages = page;
}

static void *resize(void *opaque, void *p, size_t size) {
  if (!p) return take(opaque, size);
  if (!is_page(p)) return engine.realloc(opaque, p, size);
  if (size > 0 && size <= PAGE) return p;
  void *moved = size > 0 ? engine.malloc(opaque, size) : NULL;
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
