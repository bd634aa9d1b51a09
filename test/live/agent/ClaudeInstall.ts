import { execFile } from "node:child_process"
import * as fs from "node:fs"
import { homedir } from "node:os"
import { dirname, join } from "node:path"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** The newest one that says it runs on Node 20; the program itself is native. */
const version = "2.1.197"
const packageName = "@anthropic-ai/claude-code"

/** The real Claude Code cannot be had on this machine: no network, no npm, or not made for this processor. */
export class ClaudeCodeMissing extends Data.TaggedError("ClaudeCodeMissing")<{ readonly reason: string }> {
  override get message(): string {
    return `Claude Code ${version} cannot be installed for the tests: ${this.reason}`
  }
}

/** A download of 60 MB, also over a poor connection. */
const installLimit = Duration.minutes(4)

/** npm says what is wrong in its first lines and goes on with a stack trace. */
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

/**
 * Whether npm runs install scripts has changed with its versions, so they are run by name below. Few retries: without
 * a network the answer is to come soon.
 */
const npmInstall =
  "install --ignore-scripts --no-fund --no-audit --loglevel=error --fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=2000".split(
    " "
  )

const install = Effect.fnUntraced(function* (folder: string) {
  yield* run("npm", [...npmInstall, "--prefix", folder, `${packageName}@${version}`], folder)
  yield* run(process.execPath, ["install.cjs"], join(folder, "node_modules", packageName))
  const told = yield* run(join(folder, "node_modules/.bin/claude"), ["--version"], folder)
  if (!told.startsWith(`${version} `)) {
    return yield* new ClaudeCodeMissing({ reason: `the installed program calls itself ${told.trim()}` })
  }
})

/** False when somebody else was faster: theirs is as good. */
const putInPlace = (from: string, to: string): boolean => {
  try {
    fs.renameSync(from, to)
    return true
  } catch (cause) {
    if (fs.existsSync(to)) return false
    throw cause
  }
}

/**
 * The folder with the program `claude`. Installed once per machine, under a name that changes with the version; a
 * folder gets that name only when it is complete, so two runs at once never see half of one.
 */
export const claudeFolder: Effect.Effect<string, ClaudeCodeMissing> = Effect.gen(function* () {
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache")
  const installed = join(cache, "autopilotd-tests", `claude-code-${version}`)
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
        install(unfinished),
        Effect.sync(() => putInPlace(unfinished, installed))
      ),
    (unfinished) => Effect.sync(() => fs.rmSync(unfinished, { recursive: true, force: true }))
  )
  return programs
})
