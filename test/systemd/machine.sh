#!/bin/bash
# machine.sh KIND: a machine of a test's own, in namespaces and a cgroup of its own. KIND.sh says what its first process
# is. It lives until standard input ends, so that nothing is left behind also when the test is killed; when it reboots it
# is started again. Says on standard output, a line each: "folder PATH" (what stays when it is off: home, linger),
# "group PATH" (its cgroup), "pid N" (its first process, as seen from here; anew after a reboot), "off".
# Needs NODE, the node to take in, in its environment.
set -eu
here=$(dirname "$(readlink -f "$0")")
export MACHINE_KIND=$1 MACHINE_HERE=$here MACHINE_OUTSIDE MACHINE_FOLDER
MACHINE_OUTSIDE=$(readlink /proc/self/ns/mnt)
MACHINE_FOLDER=$(mktemp -d "${TMPDIR:-/tmp}/apd-machine.XXXXXX")
group=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)/${MACHINE_FOLDER##*/}

end() {
  # All that has entered is in this group, too. Again and again, for somebody may be entering.
  while [ -d "$group" ] && ! grep -q 'populated 0' "$group/cgroup.events"; do
    echo 1 >"$group/cgroup.kill"
    sleep 0.02
  done
  [ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} \;
  rm -rf "$MACHINE_FOLDER"
}
trap end EXIT

chmod 755 "$MACHINE_FOLDER"
mkdir "$group" "$MACHINE_FOLDER"/{home,linger,project,opt,run,root}
chown 1500:1500 "$MACHINE_FOLDER/home"
chmod 700 "$MACHINE_FOLDER/home"
# A copy that everybody may read, wherever the checkout is and whatever its modes are.
(cd "$here/../.." && cp -rL --parents -t "$MACHINE_FOLDER/project" bin deploy dist systemd examples package.json test/fixtures)
chmod -R a+rX,go-w "$MACHINE_FOLDER/project"
echo "folder $MACHINE_FOLDER"
echo "group $group"

(
  trap - EXIT
  # In the group from here on: no process of it can be missed when it is killed.
  echo 0 >"$group/cgroup.procs"
  code=129
  # unshare ends like the machine's first process; the kernel lets that one end by SIGHUP when it asks for a reboot.
  while [ "$code" = 129 ]; do
    code=0
    unshare --mount --pid --cgroup --ipc --net --uts --propagation private --fork --kill-child -- bash "$here/first.sh" ||
      code=$?
  done
  echo off
) </dev/null &
disown # or the shell would tell that it was killed
# The test holds the other end of it. Not by a signal: the terminal's Ctrl-C comes here, too.
trap '' INT TERM HUP
cat >/dev/null
