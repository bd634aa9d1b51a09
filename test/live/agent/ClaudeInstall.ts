import { execFile } from "node:child_process"
import * as fs from "node:fs"
import { homedir } from "node:os"
import { dirname, join } from "node:path"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** The last version that npm installs on Node 20 by itself; the program is native. */
export const firstVersion = "2.1.197"
const packageName = "@anthropic-ai/claude-code"

/** Claude Code cannot be installed on this machine: no network, no npm, no room, or another processor. */
export class ClaudeCodeMissing extends Data.TaggedError("ClaudeCodeMissing")<{ readonly reason: string }> {
  override get message(): string {
    return `Claude Code cannot be installed for the tests: ${this.reason}`
  }
}

/** A download of 60 to 120 MB, also over a slow connection. */
const installLimit = Duration.minutes(4)

/** An installation holds up to 400 MB, and npm needs its download beside it. */
const neededBytes = 1.5 * 2 ** 30

/** The first lines of npm's answer have the reason; a stack trace follows. */
const gist = (said: string): string =>
  said
    .split("\n")
    .slice(0, 4)
    .map((line) => line.replace(/^npm error /, ""))
    .join("; ")

const run = (command: string, args: ReadonlyArray<string>, cwd: string) =>
  Effect.async<string, ClaudeCodeMissing>((resume) => {
    const limits = { cwd, timeout: Duration.toMillis(installLimit), killSignal: "SIGKILL" } as const
    execFile(command, [...args], limits, (error, stdout, stderr) => {
      const said = gist(stderr.trim() || stdout.trim())
      resume(
        error === null
          ? Effect.succeed(stdout)
          : new ClaudeCodeMissing({ reason: said === "" ? error.message : `${command} said: ${said}` })
      )
    })
  })

/** Few retries: without a network the tests soon skip. */
const npmOptions =
  "--loglevel=error --fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=2000".split(" ")

/** npm's versions differ in running install scripts, so `install` runs the package's own by name. */
const npmInstall = [..."install --ignore-scripts --no-fund --no-audit".split(" "), ...npmOptions]

/** The newest version that npm serves. */
export const newestVersion: Effect.Effect<string, ClaudeCodeMissing> = run(
  "npm",
  ["view", ...npmOptions, packageName, "version"],
  homedir()
).pipe(
  Effect.map((said) => said.trim()),
  Effect.filterOrFail(
    (said) => /^\d+\.\d+\.\d+$/.test(said),
    (said) => new ClaudeCodeMissing({ reason: `npm names no version: ${said}` })
  )
)

const install = Effect.fnUntraced(function* (folder: string, version: string) {
  const { bavail, bsize } = fs.statfsSync(folder)
  if (bavail * bsize < neededBytes) {
    return yield* new ClaudeCodeMissing({
      reason: `${folder} has less than ${neededBytes} bytes of free space`
    })
  }
  yield* run("npm", [...npmInstall, "--prefix", folder, `${packageName}@${version}`], folder)
  yield* run(process.execPath, ["install.cjs"], join(folder, "node_modules", packageName))
  const told = yield* run(join(folder, "node_modules/.bin/claude"), ["--version"], folder)
  if (!told.startsWith(`${version} `)) {
    return yield* new ClaudeCodeMissing({ reason: `the installed program calls itself ${told.trim()}` })
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
const removeOthers = (kept: ReadonlyArray<string>): void => {
  for (const name of fs.readdirSync(cache)) {
    const version = /^claude-code-(\d+\.\d+\.\d+)$/.exec(name)?.[1]
    if (version !== undefined && !kept.includes(version)) {
      fs.rmSync(join(cache, name), { recursive: true, force: true })
    }
  }
}

/**
 * Returns the folder with the program `claude` of a version. Installed once per machine, under a name with the version; a
 * folder gets that name only when it is complete, so two runs at once never see half of one.
 */
export const claudeFolder = Effect.fnUntraced(function* (version: string) {
  const installed = join(cache, `claude-code-${version}`)
  const programs = join(installed, "node_modules/.bin")
  if (fs.existsSync(installed)) return programs
  yield* Effect.acquireUseRelease(
    Effect.try({
      try: () => {
        fs.mkdirSync(dirname(installed), { recursive: true })
        return fs.mkdtempSync(`${installed}-unfinished-`)
      },
      catch: (cause) => new ClaudeCodeMissing({ reason: String(cause) })
    }),
    (unfinished) =>
      Effect.zipRight(
        install(unfinished, version),
        Effect.sync(() => {
          putInPlace(unfinished, installed)
          removeOthers([firstVersion, version])
        })
      ),
    (unfinished) => Effect.sync(() => fs.rmSync(unfinished, { recursive: true, force: true }))
  )
  return programs
})
