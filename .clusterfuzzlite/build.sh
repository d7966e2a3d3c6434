#!/bin/bash -eu
# Builds every fuzz target into $OUT, with its seeds (TARGET_seed_corpus.zip), TARGET.dict, TARGET.options and the libraries that a bare machine lacks.
# Takes $CC $CXX $CFLAGS $CXXFLAGS $LIB_FUZZING_ENGINE $OUT as OSS-Fuzz and ClusterFuzzLite set them, and asks for nothing else: engine and sanitizer are
# the caller's. Run from the top of the source tree, or by its path inside of it.
top=$PWD
[ -f "$top/tests/fuzz/Makefile.inc" ] || top=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$OUT/lib"
work=$(mktemp -d "${WORK:-${TMPDIR:-/tmp}}/cairn-build.XXXXXX")
trap 'rm -rf "$work"' EXIT

cd "$top"
[ -x configure ] || ./autogen.sh
cd "$work"
"$top/configure" --enable-fuzzing="$LIB_FUZZING_ENGINE" --disable-sanitize
# An engine may be written in C++: linked as such. What is linked dynamically is looked for beside the target.
# shellcheck disable=SC2016 # $ORIGIN is for the loader
make -s -j"$(nproc)" fuzz-targets CCLD="$CXX $CXXFLAGS" LDFLAGS='-Wl,-rpath,\$$ORIGIN/lib -Wl,--disable-new-dtags'

for target in $(make -s print-fuzz-targets | grep '^fuzz_'); do
	from=$top/tests/fuzz/$target
	cp "tests/fuzz/$target" "$OUT/"
	[ ! -d "$from.corpus" ] || (cd "$from.corpus" && python3 -m zipfile -c "$OUT/${target}_seed_corpus.zip" ./*)
	options=$from.options
	[ -f "$options" ] || options=$top/tests/fuzz/default.options
	cp "$options" "$OUT/$target.options"
	dict=$(sed -n 's/^dict *= *//p' "$options")
	[ -z "$dict" ] || cp "$top/tests/fuzz/$dict" "$OUT/"
	# not the C library, nor what comes with the compiler
	ldd "tests/fuzz/$target" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | grep -Ev '/(libc|libm|libdl|librt|libpthread|libresolv|libgcc_s|libstdc\+\+|libc\+\+|libc\+\+abi)\.so' |
		xargs -r cp -L -n -t "$OUT/lib"
done
