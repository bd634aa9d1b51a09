#!/bin/sh
# keeper.sh MARK: ends what the tests of one process have started, and removes their homes, when that process is gone,
# however it went: then standard input ends, each line of which is a home. All that the tests start has MARK in its
# environment; who has cleared it is in a session that one of them leads.
trap '' HUP INT QUIT TERM
homes=$(cat)
marked() { grep -lzsx -e "$1" /proc/[0-9]*/environ | cut -d / -f 3; }
# Daemons start their workers again, so once is not enough.
round=0
while pids=$(marked "$1") && [ -n "$pids" ] && [ "$round" -lt 100 ]; do
  round=$((round + 1))
  # shellcheck disable=SC2046,SC2086 -- lists of numbers
  kill -KILL $pids $(ps -o pid= -s "$(echo $pids | tr ' ' ,)") 2>/dev/null
  sleep 0.05
done
printf '%s\n' "$homes" | while read -r home; do
  case $home in */apd-*) rm -rf "$home" ;; esac
done
