#!/bin/sh
# The worker of the random faults: `wanders.sh PROJECT LEDGER [plain]`. It notes its run, leaves children in sessions of
# their own (without `plain`), and crashes, finishes, ignores SIGTERM, floods its output or goes on, by chance.
printf '%s %s %s\n' "$1" "$$" "${AUTOPILOT_WORKER_ID:-none}" >>"$2/runs"
sleep 100000 &
if [ "${3:-}" != plain ]; then
  setsid sleep 100001 &
  (setsid sleep 100002 &)
fi
case $(($(od -An -N1 -tu1 /dev/urandom) % 8)) in
  0) sleep 0.2 && exit 1 ;;
  1) sleep 0.6 && exit 0 ;;
  2) trap '' TERM ;;
  3) head -c 300000 /dev/urandom | od -An -tx1 ;;
esac
while :; do
  echo tick
  sleep 0.3
done
