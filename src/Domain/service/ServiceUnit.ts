/** A systemd unit of the package. */
export interface ServiceUnit {
  /** Also the name of its file. */
  readonly name: string
  /** A noun for a sentence: `the daemon`. */
  readonly runs: string
}

export const daemonUnit: ServiceUnit = { name: "autopilotd.service", runs: "the daemon" }

export const panelUnit: ServiceUnit = { name: "autopilotd-gui.service", runs: "the web panel" }

/** All units. The panel's is installed on request, and both start the same launcher. */
export const serviceUnits: ReadonlyArray<ServiceUnit> = [daemonUnit, panelUnit]

/** The launcher's path in the shipped units. `%h` is the user's home. */
const defaultLauncher = "%h/.autopilot/bin/autopilotd"

/** Whether a path needs no quoting in a unit. */
const isPlain = (path: string): boolean => /^\/[\w/.+@=-]+$/.test(path)

/** Escapes an ASCII control. Others are several bytes and need no escape. */
const controlEscaped = (control: string): string => {
  const code = control.codePointAt(0) ?? 0
  return code < 0x80 ? `\\x${code.toString(16).padStart(2, "0")}` : control
}

/** Quotes one word of a command line in a unit: systemd.service(5), COMMAND LINES. */
const unitQuoted = (text: string): string => {
  const escaped = text
    .replace(/[\\"]/g, "\\$&")
    .replace(/[%$]/g, "$&$&")
    .replace(/\p{Cc}/gu, controlEscaped)
  return `"${escaped}"`
}

/** Returns the command for a launcher. systemd allows quotes and backslashes in arguments, not in the program's path. */
const commandFor = (launcher: string): string =>
  isPlain(launcher) ? launcher : `/bin/sh ${unitQuoted(launcher)}`

/** Returns the unit for a home: the shipped text for the default home, else with `launcher` in its commands. */
export const unitText = (shipped: string, launcher: string | undefined): string =>
  launcher === undefined
    ? shipped
    : shipped
        .split("\n")
        .map((line) => {
          const [key = ""] = /^Exec\w*=/.exec(line) ?? []
          return key !== "" && line.startsWith(`${key}${defaultLauncher} `)
            ? `${key}${commandFor(launcher)}${line.slice(key.length + defaultLauncher.length)}`
            : line
        })
        .join("\n")

/** Undoes `unitQuoted`. Other specifiers than its own, such as `%i`, mean that `install` has not written the unit. */
const unquoted = (word: string): string =>
  word.startsWith('"')
    ? word
        .slice(1, -1)
        .replace(
          /\\x([0-9a-f]{2})|\\(.)|%%|\$\$/g,
          (whole, code: string | undefined, char: string | undefined) =>
            code === undefined ? (char ?? whole.slice(1)) : String.fromCodePoint(Number.parseInt(code, 16))
        )
    : word

/** Returns the launcher that a unit starts: a path, or the default. Undefined for another program. */
export const launcherIn = (unit: string): string | "default" | undefined => {
  const word = /^ExecStart=(?:\/bin\/sh )?("(?:\\.|[^"\\])*"|[^\s"]+) (?:start|gui)\b/m.exec(unit)?.[1]
  if (word === undefined) return undefined
  const launcher = unquoted(word)
  if (launcher === defaultLauncher) return "default"
  return launcher.endsWith("/bin/autopilotd") ? launcher : undefined
}

/** Returns the home of a launcher's path. */
export const homeOfLauncher = (launcher: string): string => launcher.slice(0, -"/bin/autopilotd".length)

/**
 * Returns how a unit differs from the one that `install` would write now; continues a sentence that begins with its path.
 * Undefined when it is current.
 */
export const whyUnitNotCurrent = (found: string | undefined, wanted: string): string | undefined => {
  if (found === undefined) return "is missing"
  if (found === wanted) return undefined
  return launcherIn(found) === launcherIn(wanted)
    ? "was written by another version, or changed by hand"
    : "starts another program"
}
