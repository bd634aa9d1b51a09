#!/bin/bash
# shell.sh [--booted] [--root] [COMMAND...]: a shell on a machine like those of the tests, as its user or as root, or one
# command there. The machine is gone when it ends. Run it as root.
set -eu
kind=user-manager who=user
while true; do
  case ${1-} in
    --booted) kind=booted-machine ;;
    --root) who=root ;;
    *) break ;;
  esac
  shift
done
[ $# -gt 0 ] || set -- bash -i
export NODE
NODE=$(readlink -f "$(command -v node)")
# In a session of its own, where the terminal's Ctrl-C does not reach it: it ends with its input, which is held here.
coproc MACHINE { exec setsid "$(dirname "$(readlink -f "$0")")/machine.sh" "$kind"; }
exec {input}>&"${MACHINE[1]}" {output}<&"${MACHINE[0]}"
pid=
while [ -z "$pid" ] && read -r word value <&"$output"; do
  [ "$word" != pid ] || pid=$value
done
[ -n "$pid" ] || { echo "The machine did not start." >&2; exit 1; }
enter() { nsenter --target="$pid" --mount --pid --cgroup --ipc --net --uts -- /run/host/enter "$@"; }
case $kind in
  user-manager) ready=(user systemctl --user is-active -q default.target) ;;
  booted-machine) ready=(root systemctl is-active -q machine.target) ;;
esac
until enter "${ready[@]}" 2>/dev/null; do sleep 0.05; done
if [ "$kind" = booted-machine ] && [ "$who" = user ]; then
  enter root loginctl enable-linger tester
  until enter user systemctl --user is-active -q default.target 2>/dev/null; do sleep 0.05; done
fi
code=0
enter "$who" "$@" || code=$?
exec {input}>&- {output}<&-
exec {MACHINE[1]}>&- 2>/dev/null || :
wait
exit "$code"
