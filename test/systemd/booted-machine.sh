# Sourced by first.sh: boots systemd as process 1 on an overlay of / that vanishes with it, with logind, PAM and a user
# manager, and without anything of the host's own services.

# Both parts of an overlay must be on a file system that can hold one.
mount -t tmpfs -o mode=755 tmpfs root
mkdir root/{upper,work,whole}
mount -t overlay overlay -o lowerdir=/,upperdir=root/upper,workdir=root/work root/whole
root=$PWD/root/whole
etc=$root/etc

add_user "$etc"
id=$(machine_id)
echo "$id" >"$etc/machine-id"
rm -rf "$etc"/systemd/system/*.wants
: >"$etc/fstab"
for unit in systemd-{networkd,resolved,timesyncd,firstboot,sysusers,binfmt,modules-load,sysctl,remount-fs,udevd}.service \
  systemd-{udev-trigger,update-done,journal-catalog-update,random-seed,pstore,hwdb-update}.service \
  getty@tty1.service console-getty.service {systemd-tmpfiles-clean,apt-daily,apt-daily-upgrade,dpkg-db-backup}.timer \
  {e2scrub_all,fstrim,logrotate,man-db}.timer sys-kernel-{config,debug,tracing}.mount dev-{hugepages,mqueue}.mount \
  proc-sys-fs-binfmt_misc.automount; do
  ln -sf /dev/null "$etc/systemd/system/$unit"
done
# logind starts the managers of lingering users after a boot, as on any machine.
cat >"$etc/systemd/system/machine.target" <<'T'
[Unit]
Requires=basic.target
Wants=dbus.socket systemd-logind.service systemd-user-sessions.service
After=basic.target systemd-logind.service systemd-user-sessions.service
T

mkdir -p "$root"/home/tester "$root"/var/lib/systemd/linger
mount -t tmpfs -o mode=755 tmpfs "$root/var/log"
mkdir "$root/var/log/journal"
mount --bind home "$root/home/tester"
# These two stay when it is off: what a person has changed on the machine.
mount --bind linger "$root/var/lib/systemd/linger"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root"/dev/{pts,shm}
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for stream in 0:stdin 1:stdout 2:stderr; do ln -s "fd/${stream%:*}" "$root/dev/${stream#*:}"; done
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir run/outside
mount --move opt "$root/opt"
mount --move run "$root/run"

echo "pid $pid"
cd "$root"
pivot_root . run/outside
umount -nl /run/outside
exec env -i PATH="$PATH" container=machine /lib/systemd/systemd --unit=machine.target --log-target=console \
  --log-level=warning --show-status=0 --default-standard-output=journal
