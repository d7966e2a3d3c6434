#!/bin/sh
# Every test that docs/regressions.md names is there: behind `tests/FILE`: each `name` up to the next file or the end of the line is in that file.
set -eu
src=${CAIRN_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
missing=$(grep '^|' "$src/docs/regressions.md" | awk -F'`' '
	{ file = ""
	  for (i = 2; i <= NF; i += 2) {
		if ($i ~ /^tests\/[^ ]*\.[a-z]+$/) file = $i
		else if (file != "") print file "\t" $i } }' | while IFS="$(printf '\t')" read -r file name; do
		[ -f "$src/$file" ] && grep -qF -- "$name" "$src/$file" || echo "$file: $name"
	done)
count=$(grep -c '^| .*`tests/' "$src/docs/regressions.md" || true)
if [ -n "$missing" ] || [ "$count" -lt 20 ]; then
	echo "docs/regressions.md names what is not there ($count classes):"
	echo "$missing"
	exit 1
fi
echo "$count classes, each with its tests"
