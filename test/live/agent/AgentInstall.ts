import { execFile } from "node:child_process"
import * as fs from "node:fs"
import { homedir } from "node:os"
import { dirname, join } from "node:path"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** An agent that npm has; its program is native. */
interface Agent {
  readonly title: string
  readonly packageName: string
  readonly program: string
  /** Begins the name of its folder in the cache. */
  readonly folder: string
  /** What `--version` says before the version. */
  readonly calls: string
  /** The script of the package that finishes an installation. */
  readonly finish: string | undefined
}

const claude: Agent = {
  title: "Claude Code",
  packageName: "@anthropic-ai/claude-code",
  program: "claude",
  folder: "claude-code-",
  calls: "",
  finish: "install.cjs"
}

const codex: Agent = {
  title: "Codex",
  packageName: "@openai/codex",
  program: "codex",
  folder: "codex-",
  calls: "codex-cli ",
  finish: undefined
}

/** The last version that npm installs on Node 20 by itself. */
const firstVersion = "2.1.197"

/** An agent cannot be installed on this machine: no network, no npm, no room, or another processor. */
export class AgentMissing extends Data.TaggedError("AgentMissing")<{
  readonly title: string
  readonly reason: string
}> {
  override get message(): string {
    return `${this.title} cannot be installed for the tests: ${this.reason}`
  }
}

/** A download of 60 to 200 MB, also over a slow connection. */
const installLimit = Duration.minutes(4)

/** An installation holds up to 450 MB, and npm needs its download beside it. */
const neededBytes = 1.5 * 2 ** 30

/** The first lines of npm's answer have the reason; a stack trace follows. */
const gist = (said: string): string =>
  said
    .split("\n")
    .slice(0, 4)
    .map((line) => line.replace(/^npm error /, ""))
    .join("; ")

const run = ({ title }: Agent, command: string, args: ReadonlyArray<string>, cwd: string) =>
  Effect.async<string, AgentMissing>((resume) => {
    const limits = { cwd, timeout: Duration.toMillis(installLimit), killSignal: "SIGKILL" } as const
    execFile(command, [...args], limits, (error, stdout, stderr) => {
      const said = gist(stderr.trim() || stdout.trim())
      resume(
        error === null
          ? Effect.succeed(stdout)
          : new AgentMissing({ title, reason: said === "" ? error.message : `${command} said: ${said}` })
      )
    })
  })

/** Few retries: without a network the tests soon skip. */
const npmOptions =
  "--loglevel=error --fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=2000".split(" ")

/** npm's versions differ in running install scripts, so `install` runs the package's own by name. */
const npmInstall = [..."install --ignore-scripts --no-fund --no-audit".split(" "), ...npmOptions]

/** The newest version of Claude Code that npm serves. */
const newestVersion: Effect.Effect<string, AgentMissing> = run(
  claude,
  "npm",
  ["view", ...npmOptions, claude.packageName, "version"],
  homedir()
).pipe(
  Effect.map((said) => said.trim()),
  Effect.filterOrFail(
    (said) => /^\d+\.\d+\.\d+$/.test(said),
    (said) => new AgentMissing({ title: claude.title, reason: `npm names no version: ${said}` })
  )
)

/** The versions that the tests run, by what they are called there. */
export const claudeVersions: ReadonlyArray<readonly [string, Effect.Effect<string, AgentMissing>]> = [
  [firstVersion, Effect.succeed(firstVersion)],
  ["the newest version", newestVersion]
]

const install = Effect.fnUntraced(function* (agent: Agent, folder: string, version: string) {
  const { calls, finish, packageName, program, title } = agent
  const { bavail, bsize } = fs.statfsSync(folder)
  if (bavail * bsize < neededBytes) {
    return yield* new AgentMissing({
      title,
      reason: `${folder} has less than ${neededBytes} bytes of free space`
    })
  }
  yield* run(agent, "npm", [...npmInstall, "--prefix", folder, `${packageName}@${version}`], folder)
  if (finish !== undefined)
    yield* run(agent, process.execPath, [finish], join(folder, "node_modules", packageName))
  const told = yield* run(agent, join(folder, "node_modules/.bin", program), ["--version"], folder)
  if (told.trim().split(" (")[0] !== `${calls}${version}`) {
    return yield* new AgentMissing({ title, reason: `the installed program calls itself ${told.trim()}` })
  }
})

/** False when another run of the tests was faster: its installation is as good. */
const putInPlace = (from: string, to: string): boolean => {
  try {
    fs.renameSync(from, to)
    return true
  } catch (cause) {
    if (fs.existsSync(to)) return false
    throw cause
  }
}

const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "autopilotd-tests")

/** Keeps the disk of a machine that tests for months from filling up: each version holds 400 MB. */
const removeOthers = ({ folder }: Agent, kept: ReadonlyArray<string>): void => {
  for (const name of fs.readdirSync(cache)) {
    const version = name.startsWith(folder) ? name.slice(folder.length) : ""
    if (/^\d+\.\d+\.\d+$/.test(version) && !kept.includes(version)) {
      fs.rmSync(join(cache, name), { recursive: true, force: true })
    }
  }
}

/**
 * Returns the folder with the program of a version. Installed once per machine, under a name with the version; a
 * folder gets that name only when it is complete, so two runs at once never see half of one.
 */
const agentFolder = Effect.fnUntraced(function* (
  agent: Agent,
  version: string,
  others: ReadonlyArray<string> = []
) {
  const installed = join(cache, `${agent.folder}${version}`)
  const programs = join(installed, "node_modules/.bin")
  if (fs.existsSync(installed)) return programs
  yield* Effect.acquireUseRelease(
    Effect.try({
      try: () => {
        fs.mkdirSync(dirname(installed), { recursive: true })
        return fs.mkdtempSync(`${installed}-unfinished-`)
      },
      catch: (cause) => new AgentMissing({ title: agent.title, reason: String(cause) })
    }),
    (unfinished) =>
      Effect.zipRight(
        install(agent, unfinished, version),
        Effect.sync(() => {
          putInPlace(unfinished, installed)
          removeOthers(agent, [...others, version])
        })
      ),
    (unfinished) => Effect.sync(() => fs.rmSync(unfinished, { recursive: true, force: true }))
  )
  return programs
})

export const claudeFolder = (version: string) => agentFolder(claude, version, [firstVersion])

/** The version whose runs are recorded. */
export const codexFolder = agentFolder(codex, "0.171.0")
