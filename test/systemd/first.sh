#!/bin/bash
# The first process of a machine: what both kinds have in common, then KIND.sh, in the same shell.
set -eu
# Before /proc is that of the machine, it still knows this process by its pid outside.
read -r pid _ </proc/self/stat
mount() { command mount -n "$@"; } # -n: or mount(8) notes it in /run/mount of the host
[ "$(readlink /proc/self/ns/mnt)" != "$MACHINE_OUTSIDE" ] || { echo "not in a mount namespace of its own" >&2; exit 1; }
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# What is named relative to this folder is found also when something is mounted over its path.
cd "$MACHINE_FOLDER"
ip link set lo up
# These become /opt and /run. The project and node are in there, because they may be where the user must not look, as in
# /root, and in /opt because what is in /run or /tmp is nothing that a service is installed from.
mount -t tmpfs -o mode=755 tmpfs opt
mkdir -p opt/autopilotd opt/node/bin
mount --bind project opt/autopilotd
mount -o remount,bind,ro opt/autopilotd
touch opt/node/bin/node
mount --bind "$NODE" opt/node/bin/node
mount -t tmpfs -o mode=755 tmpfs run
mkdir -p run/host
install -m 755 "$MACHINE_HERE/enter.sh" run/host/enter
# Where memory is accounted by version 1 of cgroups, it is so there, too.
if grep -q '^[0-9]*:memory:' /proc/self/cgroup; then
  mkdir run/host/memory
  mount -t cgroup -o memory cgroup run/host/memory
fi

# Adds the throw-away user to the copies of passwd, group and shadow in a folder.
add_user() {
  sed -i '/^tester:/d; /^[^:]*:[^:]*:1500:/d' "$1/passwd" "$1/group" "$1/shadow"
  echo 'tester:x:1500:1500::/home/tester:/bin/bash' >>"$1/passwd"
  echo 'tester:x:1500:' >>"$1/group"
  echo 'tester:*:19000:0:99999:7:::' >>"$1/shadow"
}
machine_id() { [ -s /etc/machine-id ] && cat /etc/machine-id || echo 00112233445566778899aabbccddeeff; }

. "$MACHINE_HERE/$MACHINE_KIND.sh"
