import { needPrintf, printfWord, shellWord, turnBack } from "./ShellWords.ts"

/** How a command runs on another machine. */
export interface RemoteRun {
  /** The words behind `autopilotd`. */
  readonly words: ReadonlyArray<string>
  /** The variables that it gets, such as AUTOPILOT_HOME. */
  readonly variables: Readonly<Record<string, string>>
  /** The command looks for programs on PATH: it gets the PATH of a login shell, which ssh does not set. */
  readonly wantsLoginPath: boolean
  /** The command ends when its standard input does. Without a terminal ssh has no other way to end what runs long. */
  readonly endsWithInput: boolean
  /** A line on standard output says that the command begins, behind what start-up files of the shell print. */
  readonly marksBegin: boolean
  /** An editor for a host that sets none. */
  readonly editor?: string | undefined
}

/** The exit code of a host on which no autopilotd is found, as shells have it. */
export const notFoundCode = 127

/** The line on standard error of a host on which no autopilotd is found. */
export const notFoundText = "autopilotd: not installed on this host"

/** The line before the output of a command. */
export const beginLine = "autopilotd begins"

/** The places in which a host looks for autopilotd, for a user. */
export const placesThere = [
  "~/.autopilot/bin, where autopilotd install puts it",
  "the PATH of its login shell",
  "~/.local/bin",
  "/usr/local/bin"
] as const

/** `f` finds an autopilotd whose Node is on PATH, too, and puts its path into `a`. */
const find =
  'f() { for a in "$(command -v autopilotd)" "$HOME/.local/bin/autopilotd" /usr/local/bin/autopilotd; do ' +
  '[ -x "$a" ] && command -v node >/dev/null && return 0; done; return 1; }'

/**
 * `l` takes the PATH of a login shell, which version managers of Node set for interactive shells only. The shell may print
 * anything before; it gets no terminal, because an interactive one would take it, and ten seconds. csh takes -l alone.
 */
const login =
  "l() { p='printenv PATH | sed s/^/autopilotd-path:/'; s=${SHELL:-/bin/sh}; " +
  'p=$({ case $s in (*csh) echo "$p" | setsid timeout 10 "$s" -l;; (*) setsid timeout 10 "$s" -lic "$p" </dev/null;; esac; } 2>/dev/null ' +
  '| sed -n s/^.*autopilotd-path://p | tail -n 1); [ -z "$p" ] || PATH=$p:$PATH; export PATH; }'

/** Its input is a pipe of the caller, which ends with the caller and with the connection. */
const endWithInput =
  'exec 3<&0; "$a" "$@" </dev/null 3<&- & p=$!; { while read -r x; do :; done; kill "$p"; } <&3 >/dev/null 2>&1 & w=$!; ' +
  'exec 3<&-; wait "$p"; c=$?; kill "$w" 2>/dev/null; exit "$c"'

const ownEditor =
  '[ -n "${VISUAL:-$EDITOR}" ] || ! command -v "${AUTOPILOTD_EDITOR%% *}" >/dev/null || export EDITOR="$AUTOPILOTD_EDITOR"'

/**
 * The command line that finds autopilotd on another machine and becomes it, for any login shell there. No variable and no
 * option of it names a host, so that it never goes on to a third machine.
 */
export const remoteCommandLine = ({
  editor,
  endsWithInput,
  marksBegin,
  variables,
  wantsLoginPath,
  words
}: RemoteRun): string => {
  const set = { ...variables, ...(editor === undefined ? {} : { AUTOPILOTD_EDITOR: editor }) }
  const given = [...Object.entries(set).map(([name, value]) => `${name}=${value}`), "--", ...words]
  const isCoded = needPrintf(given)
  const script = [
    "unset AUTOPILOTD_HOST",
    ...(isCoded ? [turnBack] : []),
    'while [ "$1" != -- ]; do export "$1"; shift; done; shift',
    ...(editor === undefined ? [] : [ownEditor]),
    find,
    login,
    ...(wantsLoginPath ? ["l"] : []),
    "a=${AUTOPILOT_HOME:-$HOME/.autopilot}/bin/autopilotd",
    `[ -x "$a" ] || f || { l; f; } || { echo "${notFoundText}" >&2; exit ${notFoundCode}; }`,
    ...(marksBegin ? [`echo "${beginLine}"`] : []),
    endsWithInput ? endWithInput : 'exec "$a" "$@"'
  ].join("; ")
  return ["sh", "-c", script, "autopilotd", ...(isCoded ? given.map(printfWord) : given)]
    .map(shellWord)
    .join(" ")
}
