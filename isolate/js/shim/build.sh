#!/bin/sh
# Compiles the shim to shim.wasm, which is committed beside its source; CI runs this again and
# compares. Needs Debian's clang-19, lld-19 and wasi-libc (for headers only: the C library is the
# one inside the engine).
#
# The shim's data lives at the low end of the engine's 1 MiB stack, which the engine's own stack
# limit keeps far away from: 4 KiB .. global-base + data. The table base is the engine's table size.
set -eu
cd "$(dirname "$0")"
clang=${CLANG:-clang-19}
link=${WASM_LD:-wasm-ld-19}
out=${1:-shim.wasm}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for source in *.c; do
  "$clang" --target=wasm32-wasi -isystem /usr/include/wasm32-wasi -std=c17 -O2 -Wall -Wextra -Werror \
    -Wno-unused-parameter -fno-ident -ffile-prefix-map="$PWD"=. -fvisibility=hidden \
    -c "$source" -o "$work/${source%.c}.o"
done
"$link" --no-entry --import-memory --import-table --allow-undefined --stack-first -z stack-size=4096 \
  --global-base=4096 --table-base=532 --strip-all -o "$out" "$work"/*.o
