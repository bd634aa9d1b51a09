/** The contents of a launcher. All paths are absolute. */
export interface Launcher {
  readonly node: string
  /** The program: `dist/autopilotd.js` of an installation. */
  readonly bundle: string
  /** The folders of the service's PATH. Empty keeps the PATH of systemd. */
  readonly path: ReadonlyArray<string>
  /** Undefined for the default, ~/.autopilot. */
  readonly home: string | undefined
}

const mark = "#!/bin/sh\n# Written by `autopilotd install`."

/** Whether any version of `install` has written this file. */
export const isLauncher = (text: string): boolean => text.startsWith(mark)

/** Returns the distinct absolute folders of a PATH. A relative one would mean another folder to a service. */
export const absoluteFolders = (path: string | undefined): ReadonlyArray<string> => [
  ...new Set((path ?? "").split(":").filter((folder) => folder.startsWith("/")))
]

/** Quotes a text as one word of sh. */
const shellQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

const readBeforeNode = `# Node raises its soft open-files limit and undoes nohup before any code of autopilotd runs: both are read here.
starts=
case \${1-} in
-h | --help | -V | --version) ;;
'' | start | run | gui | relay | -*) starts=1 ;;
esac
unset AUTOPILOTD_NOFILE_SOFT AUTOPILOTD_NOHUP AUTOPILOTD_NOTIFY_FD
if [ -n "$starts" ]; then
  AUTOPILOTD_NOFILE_SOFT=$(ulimit -S -n)
  export AUTOPILOTD_NOFILE_SOFT
  [ ! -r /proc/self/status ] || while read -r key value; do
    [ "$key" = SigIgn: ] || continue
    # SIGHUP is signal 1, the lowest bit of the hexadecimal mask.
    case $value in *[13579bdf]) AUTOPILOTD_NOHUP=1 && export AUTOPILOTD_NOHUP ;; esac
  done </proc/self/status
fi
# What steers Node is meant for the worker, which gets it back.
for name in NODE_OPTIONS NODE_EXTRA_CA_CERTS NODE_DEBUG NODE_V8_COVERAGE UV_THREADPOOL_SIZE; do
  unset "AUTOPILOTD_WORKER_$name"
  eval "[ -z \\"\\\${$name+set}\\" ] || export \\"AUTOPILOTD_WORKER_$name=\\$$name\\""
  unset "$name"
done
# A disk that does not answer keeps a thread, and Node has only four.
UV_THREADPOOL_SIZE=\${AUTOPILOTD_WORKER_UV_THREADPOOL_SIZE:-16}
export UV_THREADPOOL_SIZE`

/** Perl comes from the PATH of systemd, because a user's PATH may have one of a version manager. */
const environment = ({ home, path }: Launcher): string =>
  [
    "perl=$(command -v perl)",
    'if [ "${SYSTEMD_EXEC_PID-}" = "$$" ]; then',
    "  # This is the service itself. systemd knows neither the PATH nor the home of the shell that installed it.",
    ...(path.length === 0 ? ["  :"] : ["  PATH=$path", "  export PATH"]),
    ...(home === undefined ? [] : ["  AUTOPILOT_HOME=$home", "  export AUTOPILOT_HOME"]),
    "fi",
    ...(home === undefined ? [] : ["AUTOPILOT_HOME=${AUTOPILOT_HOME:-$home}", "export AUTOPILOT_HOME"])
  ].join("\n")

const checks = `cannot() {
  # The priority makes it an error in the journal.
  [ "\${SYSTEMD_EXEC_PID-}" = "$$" ] && printf '<3>' >&2
  printf 'autopilotd: %s\\n' "$1" >&2
  exit 1
}
[ -f "$node" ] && [ -x "$node" ] ||
  cannot "Node is missing at $node. Install Node, then run: autopilotd install"
[ -f "$bundle" ] ||
  cannot "The program is missing at $bundle. Install the package again, then run: autopilotd install"`

/**
 * Opens the socket to systemd and executes the rest of its arguments, whatever fails before: without the descriptor the
 * daemon uses systemd-notify. An @ begins the name of a socket in the abstract namespace. PERL_BADLANG=0 silences Perl's
 * warning about a missing locale, and the daemon must not inherit it.
 */
const notifyScript = `  my $lang = shift;
  if (length $lang) { $ENV{PERL_BADLANG} = $lang } else { delete $ENV{PERL_BADLANG} }
  eval {
    require Socket;
    (my $to = $ENV{NOTIFY_SOCKET}) =~ s/^\\@/\\0/;
    $^F = 255;
    socket(S, Socket::PF_UNIX(), Socket::SOCK_DGRAM() | Socket::SOCK_NONBLOCK(), 0) or die;
    if (connect(S, Socket::pack_sockaddr_un($to))) { $ENV{AUTOPILOTD_NOTIFY_FD} = fileno S } else { close S }
  };
  exec { $ARGV[0] } @ARGV or die "autopilotd: $ARGV[0] cannot be run: $!\\n"`

const init = `# As process 1 of a container this script stays: only process 1 can collect the processes that tools leave behind, and
# without that the container runs out of processes. It passes signals on, and exits with the code of the daemon.
stay_as_init() {
  "$@" &
  daemon=$!
  for name in HUP INT QUIT USR1 USR2 ALRM TERM; do
    trap "interrupted=1; kill -$name $daemon 2>/dev/null" "$name"
  done
  while :; do
    interrupted=
    wait "$daemon"
    code=$?
    # A signal interrupts wait; then the daemon still lives, or has exited without being waited for.
    [ -n "$interrupted" ] && kill -0 "$daemon" 2>/dev/null || exit "$code"
  done
}

is_init=
case $$/\${1-} in 1/ | 1/start | 1/-*) is_init=1 ;; esac`

/**
 * No flag of V8 stands here: with any, Node compiles its own modules anew, which takes 10 ms. The debugger that SIGUSR1 opens
 * until the daemon takes that signal gets an address that no machine has (RFC 5737).
 */
const start = `set -- "$node" --inspect-port=192.0.2.1:1024 "$bundle" "$@"

# The daemon notifies systemd through a datagram socket, which Node cannot open. Perl opens it and executes the daemon,
# which keeps the pid. A test run of Perl comes first, so that a broken Perl does not prevent a start.
notify='
${notifyScript}
'
case \${NOTIFY_SOCKET-} in
[/@]*)
  lang=\${PERL_BADLANG-}
  PERL_BADLANG=0
  export PERL_BADLANG
  if [ -n "$perl" ] && "$perl" -MSocket -e 1 </dev/null >/dev/null 2>&1; then
    set -- "$perl" -e "$notify" "$lang" "$@"
  elif [ -n "$lang" ]; then PERL_BADLANG=$lang; else unset PERL_BADLANG; fi
  ;;
esac
[ -z "$is_init" ] || stay_as_init "$@"
exec "$@"`

/**
 * Returns the script that starts the daemon for systemd, and commands for a user. Unlike `bin/autopilotd` it names Node
 * and the bundle, which systemd could not find. It executes Node, so that the daemon is the main process of the unit.
 */
export const launcherText = (launcher: Launcher): string =>
  [
    `${mark} Run that again after a change of Node, of the package, or of PATH.`,
    [
      `node=${shellQuoted(launcher.node)}`,
      `bundle=${shellQuoted(launcher.bundle)}`,
      `path=${shellQuoted(launcher.path.join(":"))}`,
      ...(launcher.home === undefined ? [] : [`home=${shellQuoted(launcher.home)}`])
    ].join("\n"),
    readBeforeNode,
    environment(launcher),
    checks,
    init,
    start,
    ""
  ]
    .join("\n\n")
    .replace(/\n+$/, "\n")

/** Reads an assignment of `launcherText`. */
const assigned = (text: string, name: string): string | undefined =>
  new RegExp(`^${name}=((?:'[^']*'|\\\\')+)$`, "m")
    .exec(text)?.[1]
    ?.replace(/'([^']*)'|\\'/g, (_, inside: string | undefined) => inside ?? "'")

/** Parses a launcher. Undefined for a file that `install` has not written. */
export const readLauncher = (text: string): Launcher | undefined => {
  const [node, bundle] = [assigned(text, "node"), assigned(text, "bundle")]
  if (!isLauncher(text) || node === undefined || bundle === undefined) return undefined
  return { node, bundle, path: absoluteFolders(assigned(text, "path")), home: assigned(text, "home") }
}

/**
 * Returns how a launcher differs from the one that `install` would write now; continues a sentence that begins with its
 * path. Undefined when it is current.
 */
export const whyLauncherNotCurrent = (
  found: { readonly text: string | undefined; readonly isExecutable: boolean } | undefined,
  wanted: Launcher
): string | undefined => {
  if (found === undefined) return "is missing"
  const read = found.text === undefined ? undefined : readLauncher(found.text)
  if (read === undefined) return "was not written by autopilotd install"
  if (read.node !== wanted.node) return `starts another Node, ${read.node}`
  if (read.bundle !== wanted.bundle) return `starts another autopilotd, ${read.bundle}`
  if (read.home !== wanted.home) return `is for another home, ${read.home ?? "~/.autopilot"}`
  if (read.path.join(":") !== wanted.path.join(":")) return "has another PATH"
  if (found.text !== launcherText(wanted)) return "was written by another version, or changed by hand"
  return found.isExecutable ? undefined : "is not executable"
}

const fleetingPlaces: ReadonlyArray<readonly [pattern: RegExp, why: string]> = [
  [/\/_npx\//, "npx removes the packages that it has fetched"],
  [/^\/(tmp|var\/tmp|dev\/shm)\//, "temporary files are removed"],
  [/^\/run\//, "/run is emptied when you log out or the machine starts"]
]

/** Returns why a file will not stay at its path, as a sentence without its full stop. Undefined for lasting places. */
export const whyFleeting = (path: string): string | undefined =>
  fleetingPlaces.find(([pattern]) => pattern.test(path))?.[1]
