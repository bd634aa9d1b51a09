/** What a launcher starts, and with what. All paths are absolute. */
export interface Launcher {
  readonly node: string
  /** The program: `dist/autopilotd.js` of an installation. */
  readonly bundle: string
  /** The folders of the service's PATH. Where there are none, it keeps the one that systemd gives it. */
  readonly path: ReadonlyArray<string>
  /** Undefined is the default, ~/.autopilot. */
  readonly home: string | undefined
}

const mark = "#!/bin/sh\n# Written by `autopilotd install`."

/** Whether `install` has written this file, of whatever version. */
export const isLauncher = (text: string): boolean => text.startsWith(mark)

/** Of a PATH the absolute folders, each once: what is relative means another folder for a service. */
export const absoluteFolders = (path: string | undefined): ReadonlyArray<string> => [
  ...new Set((path ?? "").split(":").filter((folder) => folder.startsWith("/")))
]

/** A text as one word of sh, whatever is in it. */
const shellQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

const seenBeforeNode = `# Node raises the soft open-files limit for itself and undoes nohup before any of our code runs, so this is the last
# place where either can be seen.
AUTOPILOTD_NOFILE_SOFT=$(ulimit -S -n)
export AUTOPILOTD_NOFILE_SOFT
unset AUTOPILOTD_NOHUP AUTOPILOTD_NOTIFY_FD
if [ -r /proc/self/status ]; then
  while read -r key value; do
    [ "$key" = SigIgn: ] || continue
    # SIGHUP is signal 1, the lowest bit of the hexadecimal mask.
    case $value in *[13579bdf]) AUTOPILOTD_NOHUP=1 && export AUTOPILOTD_NOHUP ;; esac
  done </proc/self/status
fi`

/** Perl is looked for on the PATH of systemd: that of a person may have one of a version manager. */
const surroundings = ({ home, path }: Launcher): string =>
  [
    "perl=$(command -v perl)",
    'if [ "${SYSTEMD_EXEC_PID-}" = "$$" ]; then',
    "  # This is the service itself. systemd knows neither the PATH nor the home of whoever has installed it.",
    ...(path.length === 0 ? ["  :"] : ["  PATH=$path", "  export PATH"]),
    ...(home === undefined ? [] : ["  AUTOPILOT_HOME=$home", "  export AUTOPILOT_HOME"]),
    "fi",
    ...(home === undefined ? [] : ["AUTOPILOT_HOME=${AUTOPILOT_HOME:-$home}", "export AUTOPILOT_HOME"])
  ].join("\n")

const checks = `cannot() {
  # By its priority the journal finds it among the errors.
  [ "\${SYSTEMD_EXEC_PID-}" = "$$" ] && printf '<3>' >&2
  printf 'autopilotd: %s\\n' "$1" >&2
  exit 1
}
[ -f "$node" ] && [ -x "$node" ] ||
  cannot "There is no Node at $node any more. Run: autopilotd install with the new node"
[ -f "$bundle" ] ||
  cannot "There is no autopilotd at $bundle any more. Install the package again, then run: autopilotd install"`

/**
 * Whatever goes wrong in there, the daemon starts: without the descriptor it speaks through systemd-notify. The name of
 * the socket may be one of the abstract namespace, which is written with an @. Perl complains of a locale that is not
 * installed unless PERL_BADLANG is 0, which is nobody else's business.
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

/** A small young generation keeps an idle daemon small. */
const start = `set -- "$node" --max-semi-space-size=1 "$bundle" "$@"

# systemd hears of the daemon through a datagram socket, which Node cannot open. Perl opens it and becomes the daemon,
# so that the pid stays. It is tried first: no start shall fail for it.
notify='
${notifyScript}
'
case \${NOTIFY_SOCKET-} in
[/@]*)
  lang=\${PERL_BADLANG-}
  PERL_BADLANG=0
  export PERL_BADLANG
  [ -n "$perl" ] && "$perl" -MSocket -e 1 </dev/null >/dev/null 2>&1 && exec "$perl" -e "$notify" "$lang" "$@"
  if [ -n "$lang" ]; then PERL_BADLANG=$lang; else unset PERL_BADLANG; fi
  ;;
esac
exec "$@"`

/**
 * The script that starts the daemon for systemd, and the commands for a person: `bin/autopilotd` finds Node and the
 * bundle by itself, which systemd cannot. It replaces itself by Node, so that the daemon is the main process of the unit.
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
    seenBeforeNode,
    surroundings(launcher),
    checks,
    start,
    ""
  ]
    .join("\n\n")
    .replace(/\n+$/, "\n")

/** The value of a line that `launcherText` has written. */
const assigned = (text: string, name: string): string | undefined =>
  new RegExp(`^${name}=((?:'[^']*'|\\\\')+)$`, "m")
    .exec(text)?.[1]
    ?.replace(/'([^']*)'|\\'/g, (_, inside: string | undefined) => inside ?? "'")

/** What a launcher starts, read back from its text; undefined when `install` has not written it. */
export const readLauncher = (text: string): Launcher | undefined => {
  const [node, bundle] = [assigned(text, "node"), assigned(text, "bundle")]
  if (!isLauncher(text) || node === undefined || bundle === undefined) return undefined
  return { node, bundle, path: absoluteFolders(assigned(text, "path")), home: assigned(text, "home") }
}

/**
 * Why the launcher that was found is not the one that `install` would write now; continues a sentence that begins with
 * its path. Undefined when it is current.
 */
export const whyLauncherNotCurrent = (
  found: { readonly text: string | undefined; readonly isExecutable: boolean } | undefined,
  wanted: Launcher
): string | undefined => {
  if (found === undefined) return "is not there"
  const read = found.text === undefined ? undefined : readLauncher(found.text)
  if (read === undefined) return "was not written by autopilotd install"
  if (read.node !== wanted.node) return `starts another Node, ${read.node}`
  if (read.bundle !== wanted.bundle) return `starts another autopilotd, ${read.bundle}`
  if (read.home !== wanted.home) return `is for another home, ${read.home ?? "~/.autopilot"}`
  if (read.path.join(":") !== wanted.path.join(":")) return "has another PATH"
  if (found.text !== launcherText(wanted)) return "was written by another version, or changed by hand"
  return found.isExecutable ? undefined : "is not executable"
}
const places: ReadonlyArray<readonly [pattern: RegExp, why: string]> = [
  [/\/_npx\//, "npx removes what it has fetched"],
  [/^\/(tmp|var\/tmp|dev\/shm)\//, "folders for temporary files are emptied"],
  [/^\/run\//, "/run is emptied when you log out or the machine starts"]
]
/** Why a file will not stay where it is, as a sentence without its full stop; undefined where nothing speaks for that. */

export const whyFleeting = (path: string): string | undefined =>
  places.find(([pattern]) => pattern.test(path))?.[1]
