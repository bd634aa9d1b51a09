# Sourced by first.sh: journald and `systemd --user`, and nothing else of systemd. Takes a third of a second.

# systemd believes that it was booted when there is /run/systemd/system.
mkdir -p run/systemd/system run/systemd/journal run/user/1500 run/host/etc
# So journald writes to the disk at once. Otherwise there are no journals of users, and `journalctl --user` finds nothing.
touch run/systemd/journal/flushed
chown 1500:1500 run/user/1500
chmod 700 run/user/1500
cp /etc/passwd /etc/group /etc/shadow run/host/etc
add_user run/host/etc
machine_id >run/host/etc/machine-id
[ -e /etc/machine-id ] || rm run/host/etc/machine-id
for file in run/host/etc/*; do mount --bind "$file" "/etc/${file##*/}"; done

mount -t proc proc /proc
mount -t tmpfs -o mode=755 tmpfs /home
mkdir /home/tester
mount --bind home /home/tester
mount -t tmpfs -o mode=755 tmpfs /var/log
mkdir -p /var/log/journal/"$(machine_id)"
mount --move opt /opt
mount --move run /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t tmpfs -o mode=1777 tmpfs /dev/shm

# systemd wants version 2 of cgroups and nothing else there.
umount -nRl /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
# By this path journald knows whose unit a line is of: without it `journalctl --user -u` would not find it.
above=(/sys/fs/cgroup /sys/fs/cgroup/user.slice /sys/fs/cgroup/user.slice/user-1500.slice)
service=/sys/fs/cgroup/user.slice/user-1500.slice/user@1500.service
mkdir -p /sys/fs/cgroup/init.scope "$service"
echo 0 >/sys/fs/cgroup/init.scope/cgroup.procs
for controller in memory pids cpu; do
  for folder in "${above[@]}"; do
    # Whatever the machine outside gives.
    { echo "+$controller" >"$folder/cgroup.subtree_control"; } 2>/dev/null || :
  done
done
# What systemd as process 1 does for user@.service, which has Delegate=.
chown 1500:1500 "$service" "$service"/cgroup.{procs,threads,subtree_control}

/lib/systemd/systemd-journald >/run/host/journald 2>&1 &
until [ -S /run/systemd/journal/stdout ]; do sleep 0.01; done
(
  echo 0 >"$service/cgroup.procs"
  # The PATH that systemd has compiled in: what a login adds is not known to services.
  exec setpriv --reuid=1500 --regid=1500 --init-groups -- env -i PATH="$PATH" HOME=/home/tester USER=tester \
    LOGNAME=tester SHELL=/bin/bash LANG=C.UTF-8 XDG_RUNTIME_DIR=/run/user/1500 \
    /lib/systemd/systemd --user --log-target=journal >/run/host/manager 2>&1
) &
manager=$!
echo "pid $pid"
# It also reaps whatever has lost its parent.
wait "$manager"
cat /run/host/manager >&2
