#!/bin/sh
# Makes ./configure out of configure.ac and the Makefile fragments. The lock is for several builds that start at once.
set -e
cd "$(dirname "$0")"
exec flock configure.ac autoreconf --force --install --warnings=all "$@"
