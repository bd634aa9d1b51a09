#!/bin/sh
# bed.sh FOLDER PORT LAUNCHER: an sshd on 127.0.0.1 with users of its own, in the mount and PID namespace that it is started
# in, with APD_OWN_NETWORK also in a network of its own: accounts, keys and configuration of the machine stay as they are. FOLDER/bin/ssh is a client that knows only FOLDER.
set -eu
bed=$1 port=$2 launcher=$3
mount --make-rprivate /
umask 022
[ -z "${APD_OWN_NETWORK-}" ] || ip link set lo up
mkdir -p "$bed/etc" "$bed/keys" "$bed/bin" "$bed/home" "$bed/nvm/bin" "$bed/run"
chmod 755 "$bed"
chmod 700 "$bed/run"
cp /etc/passwd /etc/shadow "$bed/etc"

ssh-keygen -q -t ed25519 -N '' -f "$bed/host_key"
ssh-keygen -q -t ed25519 -N '' -f "$bed/id"
ssh-keygen -q -t ed25519 -N '' -f "$bed/other_id"

# Node is where only a login shell finds it.
ln -s "$launcher" "$bed/nvm/bin/autopilotd"
touch "$bed/nvm/bin/node"
mount --bind "$(command -v node)" "$bed/nvm/bin/node"
for place in /usr/bin/node /usr/local/bin/node; do
  [ ! -e "$place" ] || mount --bind /dev/null "$place"
done

uid=61800
user() { # NAME SHELL
  uid=$((uid + 1))
  echo "ap-$1:x:$uid:$uid::$bed/home/$1:$2" >>"$bed/etc/passwd"
  echo "ap-$1:*:19000:0:99999:7:::" >>"$bed/etc/shadow"
  mkdir -p "$bed/home/$1"
  cp "$bed/id.pub" "$bed/keys/ap-$1"
  printf 'Host %s\n  User ap-%s\n  HostName 127.0.0.1\n  Port %s\n  IdentityFile %s\n' "$1" "$1" "$port" "$bed/id" >>"$bed/config"
}
: >"$bed/config"
for shell in bash dash zsh fish tcsh; do user "$shell" "$(command -v "$shell")"; done
user absent /bin/bash
user nologin /usr/sbin/nologin
cat >>"$bed/config" <<CONFIG
Host wrongkey
  User ap-bash
  HostName 127.0.0.1
  Port $port
  IdentityFile $bed/other_id
Host stranger
  IdentityFile $bed/id
  User ap-bash
  HostName 127.0.0.1
  Port $port
  UserKnownHostsFile $bed/no_known_hosts
Host changed
  IdentityFile $bed/id
  User ap-bash
  HostName 127.0.0.1
  Port $port
  UserKnownHostsFile $bed/changed_known_hosts
Host own
  IdentityFile $bed/id
  User ap-bash
  HostName 127.0.0.1
  Port $port
  ControlMaster auto
  ControlPath $bed/own-master
Host *
  UserKnownHostsFile $bed/known_hosts
  IdentitiesOnly yes
  IdentityAgent none
CONFIG
echo "[127.0.0.1]:$port $(cat "$bed/host_key.pub")" >"$bed/known_hosts"
echo "[127.0.0.1]:$port $(cat "$bed/other_id.pub")" >"$bed/changed_known_hosts"
printf '#!/bin/sh\nexec /usr/bin/ssh -F %s "$@"\n' "$bed/config" >"$bed/bin/ssh"
chmod 755 "$bed/bin/ssh"

# As Debian's .bashrc: it runs for commands of ssh, too, and what it prints comes first.
cat >"$bed/home/bash/.bashrc" <<'BASHRC'
echo "welcome to this machine"
printf 'no newline at the end'
case $- in *i*) ;; *) return ;; esac
BASHRC
echo "PATH=$bed/nvm/bin:\$PATH" >>"$bed/home/bash/.bashrc"
echo '. ~/.bashrc' >"$bed/home/bash/.profile"
echo "PATH=$bed/nvm/bin:\$PATH; export PATH" >"$bed/home/dash/.profile"
echo "path=($bed/nvm/bin \$path)" >"$bed/home/zsh/.zshrc"
mkdir -p "$bed/home/fish/.config/fish"
printf 'status is-interactive; and set -gx PATH %s $PATH\n' "$bed/nvm/bin" >"$bed/home/fish/.config/fish/config.fish"
echo "setenv PATH $bed/nvm/bin:\$PATH" >"$bed/home/tcsh/.login"

# A home whose autopilotd writes down what has arrived.
for shell in bash dash zsh fish tcsh; do
  mkdir -p "$bed/recorders/$shell/bin"
  cat >"$bed/recorders/$shell/bin/autopilotd" <<'RECORDER'
#!/bin/sh
for word; do printf '%s\0' "$word"; done >"$AUTOPILOT_HOME/words"
env >"$AUTOPILOT_HOME/env"
RECORDER
  chmod 755 "$bed/recorders/$shell/bin/autopilotd"
done
uid=61800
for name in bash dash zsh fish tcsh absent nologin; do
  uid=$((uid + 1))
  chown -R "$uid:$uid" "$bed/home/$name"
  [ ! -e "$bed/recorders/$name" ] || chown -R "$uid:$uid" "$bed/recorders/$name"
done

cat >"$bed/sshd_config" <<CONFIG
Port $port
ListenAddress 127.0.0.1
HostKey $bed/host_key
PidFile none
UsePAM no
StrictModes no
AuthorizedKeysFile $bed/keys/%u
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
CONFIG
mount --bind "$bed/etc/passwd" /etc/passwd
mount --bind "$bed/etc/shadow" /etc/shadow
mount -t tmpfs none /run
mkdir /run/sshd
exec /usr/sbin/sshd -f "$bed/sshd_config" -D -e
