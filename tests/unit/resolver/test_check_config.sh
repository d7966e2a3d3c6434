#!/bin/sh
# cairnd --check-config names every error, also those that only the parts of the resolver can tell.
set -u
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
cat >"$dir/bad.conf" <<'CONF'
server:
	local-data: "a.b A 1.2.3"
	local-zone: x.test foo
	port: 99999
	access-controll: 1.2.3.4 allow
	local-data: "x.y AAAA ::1"
	local-zone-override: "nowhere.test" 192.0.2.0/24 refuse
CONF
out=$("$CAIRN_BUILD/cairnd" --check-config "$dir/bad.conf")
status=$?
fail=0
expect() {
	case $out in
	*"$1"*) ;;
	*) echo "missing: $1"; fail=1 ;;
	esac
}
[ "$status" = 1 ] || { echo "status $status, expected 1"; fail=1; }
expect "bad.conf:2: error: local-data: found \"a.b A 1.2.3\""
expect "bad.conf:3: error: local-zone: found 'foo'"
expect "bad.conf:4: error: port: found '99999'"
expect "bad.conf:5: error: found the unknown option 'access-controll'"
expect "bad.conf:7: error: local-zone-override: "
expect "bad.conf: 5 errors"
# What is not obeyed is said, and is no error.
anchor='	trust-anchor: ". DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"'
printf 'server:\n%s\n\tdisable-edns-do: yes\n' "$anchor" >"$dir/do.conf"
out=$("$CAIRN_BUILD/cairnd" --check-config "$dir/do.conf") || { echo "status $?, expected 0"; fail=1; }
expect "do.conf:3: warning: disable-edns-do: not obeyed"
printf '\tmodule-config: "iterator"\n' >>"$dir/do.conf"
case $("$CAIRN_BUILD/cairnd" --check-config "$dir/do.conf") in
*disable-edns-do*) echo "a warning where it is obeyed"; fail=1 ;;
esac
[ "$fail" = 0 ] || echo "$out"
exit "$fail"
