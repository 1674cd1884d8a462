#!/bin/sh
# Compiles the tenants' Worker with Debian's clang-19 and lld-19. The result is committed.
set -eu
cd "$(dirname "$0")"
"${CC:-clang-19}" --target=wasm32 -std=c17 -O2 -mbulk-memory -Wall -Wextra -Werror -Wno-infinite-recursion -ffreestanding -nostdlib \
	-fno-builtin -Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=16384 -Wl,--initial-memory=1048576 \
	-Wl,--max-memory=134217728 tenant.c -o tenant.wasm
