#!/bin/sh
# The commands of cairn-rpki as people use them: what they print, where mistakes are told to be, and exit statuses.
set -u
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
fail=0
wrong() { echo "wrong: $*"; cat "$dir/out" "$dir/err"; fail=1; }
run() { # expected status, arguments
	want=$1
	shift
	timeout 60 "$CAIRN_BUILD/cairn-rpki" "$@" >"$dir/out" 2>"$dir/err"
	status=$?
	[ "$status" = "$want" ] || wrong "$*: status $status, expected $want"
}
says() { grep -qF -- "$1" "$dir/out" || wrong "the output does not have: $1"; }
complains() { grep -qF -- "$1" "$dir/err" || wrong "the errors do not have: $1"; }

printf 'ASN,IP Prefix,Max Length,Trust Anchor\nAS64496,192.0.2.0/24,24,one\nAS64497,198.51.100.0/24,26,two\nAS0,203.0.113.0/24,24,one\n' >"$dir/old.csv"
printf 'roa-set {\n    192.0.2.0/24 source-as 64496\n    198.51.100.0/24 maxlen 25 source-as 64497\n    203.0.113.0/24 source-as 0\n}\n' >"$dir/new.conf"

# validate
run 0 validate --table "$dir/old.csv" AS64496 192.0.2.0/24 192.0.2.0/25 198.51.100.0/24 203.0.113.0/24 10.0.0.0/8
[ "$(grep -c '^[^ ]' "$dir/out")" = 5 ] || wrong "five routes"
says '192.0.2.0/24 AS64496: valid'
says '  192.0.2.0/24-24 AS64496 matches: one'
says '192.0.2.0/25 AS64496: invalid (length)'
says '198.51.100.0/24 AS64496: invalid (origin)'
says '  198.51.100.0/24-26 AS64497 is of another AS: two'
says '10.0.0.0/8 AS64496: not-found'
run 0 validate --table "$dir/old.csv" --json 64497 198.51.100.64/26
says '"state": "valid"'
says '"max_length": "26"'
printf '# routes\nAS64496 192.0.2.0/24\n198.51.100.0/27 => 64497\n\n' >"$dir/routes"
run 0 validate --table "$dir/old.csv" -f "$dir/routes"
[ "$(cat "$dir/out")" = "192.0.2.0/24 AS64496: valid
198.51.100.0/27 AS64497: invalid (length)" ] || wrong "routes of a file"
"$CAIRN_BUILD/cairn-rpki" validate --table "$dir/old.csv" --json -f - <"$dir/routes" >"$dir/out" 2>"$dir/err" || wrong "standard input"
says '"validated_routes": ['
[ "$(grep -c '"state"' "$dir/out")" = 2 ] || wrong "two routes in JSON"
printf '64496 192.0.2.0/24\n64496 192.0.2.1/24\n' >"$dir/routes"
run 2 validate --table "$dir/old.csv" -f "$dir/routes"
complains "$dir/routes:2: found \"192.0.2.1/24\", expected"
run 2 validate --table "$dir/old.csv" AS64496
complains 'usage: cairn-rpki validate'
run 2 validate --table "$dir/old.csv" AS64496 192.0.2.1/24
complains 'expected a prefix'
run 2 validate --table "$dir/none" 1 10.0.0.0/8
complains "$dir/none: "

# diff
run 0 diff "$dir/old.csv" "$dir/old.csv"
[ ! -s "$dir/out" ] || wrong "no difference"
run 1 diff "$dir/old.csv" "$dir/new.conf"
[ "$(cat "$dir/out")" = "+ AS64497 198.51.100.0/24-25
- AS64497 198.51.100.0/24-26" ] || wrong "one VRP for another"
run 1 diff --json "$dir/old.csv" "$dir/new.conf"
says '{"type":"routeOrigin","asn":"AS64497","prefix":"198.51.100.0/24","maxLength":26}'
printf 'ASN,IP Prefix,Max Length\nAS1,10.0.0.0/8,8\nAS2,10.0.0.0/8,7\n' >"$dir/bad.csv"
run 2 diff "$dir/old.csv" "$dir/bad.csv"
complains "$dir/bad.csv:3: found \"7\", expected a maximum length"
printf '{"roas":[{"asn":1,"prefix":"10.0.0.0/8"},{"asn":-1,"prefix":"10.0.0.0/8"}]}' >"$dir/bad.json"
run 2 diff "$dir/old.csv" "$dir/bad.json"
complains "$dir/bad.json: roas[1].asn: expected an AS number"

# What the daemon has served last: with the configuration, and of the file.
printf 'rpki:\n\tusername: ""\n\ttal-dir: ""\n\tcache-dir: "%s/cache"\n\tslurm: "%s/s.json"\nrtr:\n\tinterface: "%s/rtr"\n' "$dir" "$dir" "$dir" >"$dir/c.conf"
run 2 validate -c "$dir/c.conf" 1 192.0.2.0/24
complains 'say --table FILE or --offline'
run 2 status -c "$dir/c.conf"
complains "$dir/cache/status"
printf '{ "slurmVersion": 1, "validationOutputFilters": { "prefixFilters": [], "bgpsecFilters": [] }, "locallyAddedAssertions": { "prefixAssertions": [ { "asn": 7, "prefix": "192.0.2.0/24", "comment": "ours" } ], "bgpsecAssertions": [] } }' >"$dir/s.json"
"$CAIRN_BUILD/cairn-rpki" -d -c "$dir/c.conf" >"$dir/log" 2>&1 &
pid=$!
for _ in $(seq 100); do
	[ ! -e "$dir/cache/serve/rtr-state" ] || break
	sleep 0.1
done
kill "$pid"
wait "$pid"
run 0 validate -c "$dir/c.conf" 7 192.0.2.0/24
says "  192.0.2.0/24-24 AS7 matches: exception $dir/s.json (ours)"
[ ! -s "$dir/err" ] || wrong "nothing is to be said of a recent table"
run 0 diff "$dir/s.json" "$dir/cache/serve/rtr-state"
touch -d '2 days ago' "$dir/cache/serve/rtr-state"
run 0 validate -c "$dir/c.conf" 7 192.0.2.0/24
complains 'seconds old: the daemon does not run'
run 0 validate --offline -c "$dir/c.conf" 7 192.0.2.0/24
says '192.0.2.0/24 AS7: valid'

# inspect
run 2 inspect "$dir/none.roa"
complains 'expected a file, an rsync URI, or a SHA-256'
run 2 inspect -c "$dir/c.conf" rsync://rpki.example.net/repository/x.roa
complains 'neither in the store nor in rpki-tree:'
run 2 inspect --ignore rfc1 "$dir/old.csv"
complains '--ignore rfc1: no rule has one of these names'
run 1 inspect "$dir/old.csv"
says 'verdict: invalid'
run 2 inspect
complains 'usage: cairn-rpki inspect'
run 2 nothing
complains 'unexpected argument: nothing'
exit "$fail"
