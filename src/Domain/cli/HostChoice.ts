import { thisMachine } from "../remote/HostUrl.ts"
import type { CommandLine, Invocation } from "./CommandLine.ts"
import type { Verb } from "./CommandTable.ts"
import { optionTable } from "./OptionTable.ts"
import type { UsageError } from "./UsageError.ts"

/** The variable that stands for `--host` where it is not given. */
export const hostVariable = "AUTOPILOTD_HOST"

/** The commands that run on this machine with a host, too: they reach it by themselves. All others run on the host. */
const reachItThemselves: ReadonlySet<Verb> = new Set<Verb>(["relay"])

/** Where a command line is carried out. */
interface HostChoice {
  /** The host as the user names it; undefined for this machine. */
  readonly host: string | undefined
  /** The command itself runs here. */
  readonly runsHere: boolean
}

const here: HostChoice = { host: undefined, runsHere: true }

/** `variable` is the value of AUTOPILOTD_HOST. An empty host, and `local`, is this machine. */
export const hostChoice = (line: CommandLine | UsageError, variable: string | undefined): HostChoice => {
  if (line._tag !== "Run" && line._tag !== "Version") return here
  const given = line._tag === "Run" ? line.invocation.options.host : line.host
  // A forced command for a key is about its own machine, whatever a start-up file of the shell exports.
  const isStream = line._tag === "Run" && line.invocation.verb === "dial-stdio"
  const host = given ?? (isStream ? undefined : variable) ?? ""
  if (host === "" || host === thisMachine) return here
  return { host, runsHere: line._tag === "Run" && reachItThemselves.has(line.invocation.verb) }
}

const long = `--${optionTable.host.long}`

/** A command line without its `--host`, which `parse` has accepted. The words behind `--` belong to the worker. */
export const withoutHost = (argv: ReadonlyArray<string>): ReadonlyArray<string> => {
  const cut = argv.includes("--") ? argv.indexOf("--") : argv.length
  return argv.filter(
    (word, at) => at >= cut || !(word === long || word.startsWith(`${long}=`) || argv[at - 1] === long)
  )
}

/** The commands that look for programs on PATH. */
const lookOnPath: ReadonlySet<Verb> = new Set<Verb>([
  "start",
  "run",
  "init",
  "install",
  "doctor",
  "gui",
  "config check",
  "config edit"
])

export const looksOnPath = ({ verb }: Invocation): boolean => lookOnPath.has(verb)

/** Whether a command reads its standard input, also from a pipe. */
export const readsInput = ({ verb }: Invocation): boolean => verb === "dial-stdio"

/** Whether a command runs until somebody ends it, or for as long as a worker does. */
export const runsLong = ({ options, verb }: Invocation): boolean =>
  options.follow === true ||
  (verb === "start" && options.detach !== true) ||
  ["wait", "top", "gui", "relay"].includes(verb)
