#!/bin/sh
# A worker that says its pid as its first act, to whoever reads the pipe that is named, and then only sleeps.
[ -z "$1" ] || echo $$ >"$1"
exec sleep 900
