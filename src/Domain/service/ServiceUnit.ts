/** A unit of systemd that an installation brings. */
export interface ServiceUnit {
  /** Also the name of its file, in the package and where systemd looks for it. */
  readonly name: string
  /** What it runs, for a sentence. */
  readonly runs: string
}

/** The unit that runs the daemon. */
export const daemonUnit: ServiceUnit = { name: "autopilotd.service", runs: "the daemon" }

/** The units of an installation. All are installed and removed together. */
export const serviceUnits: ReadonlyArray<ServiceUnit> = [daemonUnit]

/** The launcher as the shipped units name it. `%h` is the user's home. */
const defaultLauncher = "%h/.autopilot/bin/autopilotd"

/** A path that means itself in a unit. */
const isPlain = (path: string): boolean => /^\/[\w/.+@=-]+$/.test(path)

/** What is above ASCII is several bytes, and needs no escape. */
const controlEscaped = (control: string): string => {
  const code = control.codePointAt(0) ?? 0
  return code < 0x80 ? `\\x${code.toString(16).padStart(2, "0")}` : control
}

/** One word of a command line in a unit: systemd.service(5), COMMAND LINES. */
const unitQuoted = (text: string): string => {
  const escaped = text
    .replace(/[\\"]/g, "\\$&")
    .replace(/[%$]/g, "$&$&")
    .replace(/\p{Cc}/gu, controlEscaped)
  return `"${escaped}"`
}

/** How a unit runs a launcher. systemd takes no quotes or backslashes in the path of a program, but in an argument. */
const commandFor = (launcher: string): string =>
  isPlain(launcher) ? launcher : `/bin/sh ${unitQuoted(launcher)}`

/**
 * The unit for a home: the shipped one as it stands for the default (no launcher is given), else with the path of that
 * home's launcher in its commands.
 */
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

/** The word without its quotes. Words that systemd would read otherwise, as those with `%i`, are not ours. */
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

/** What a unit starts: a path, or the default. Undefined where it starts nothing that is called as our launchers are. */
export const launcherIn = (unit: string): string | "default" | undefined => {
  const word = /^ExecStart=(?:\/bin\/sh )?("(?:\\.|[^"\\])*"|[^\s"]+) start\b/m.exec(unit)?.[1]
  if (word === undefined) return undefined
  const launcher = unquoted(word)
  if (launcher === defaultLauncher) return "default"
  return launcher.endsWith("/bin/autopilotd") ? launcher : undefined
}

/** The home that a launcher is in. */
export const homeOfLauncher = (launcher: string): string => launcher.slice(0, -"/bin/autopilotd".length)

/**
 * Why the unit that was found is not the one that `install` would write now; continues a sentence that begins with its
 * path. Undefined when it is current.
 */
export const whyUnitNotCurrent = (found: string | undefined, wanted: string): string | undefined => {
  if (found === undefined) return "is not there"
  if (found === wanted) return undefined
  return launcherIn(found) === launcherIn(wanted)
    ? "was written by another version, or changed by hand"
    : "starts another program"
}
