import { randomBytes } from "node:crypto"
import * as fs from "node:fs/promises"
import { homedir } from "node:os"
import { dirname, join, resolve } from "node:path"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { printable } from "../../Domain/text/Printable.ts"
import { replaceFile } from "../files/AtomicFile.ts"
import { errorCode, messageOf, refusalOf } from "../files/SystemError.ts"

/** Where everything of one daemon lives. All paths are absolute. */
export interface HomePaths {
  readonly root: string
  readonly settingsFile: string
  readonly envFile: string
  readonly idFile: string
  /** The name of the project that commands mean which name none. */
  readonly selectedFile: string
  /** What has happened, one JSON object a line. */
  readonly historyFile: string
  readonly socket: string
  readonly pidFile: string
  readonly lockFile: string
  readonly stateDir: string
  readonly logDir: string
  readonly binDir: string
}

/** `$AUTOPILOT_HOME`, by default `~/.autopilot`: the paths, without touching the disk. */
export class AutopilotHome extends Context.Tag("AutopilotHome")<AutopilotHome, HomePaths>() {}

const elsewhere = "set AUTOPILOT_HOME to another folder"

/** The folder cannot be made or written, so nothing can be kept there. */
export class HomeUnusable extends Data.TaggedError("HomeUnusable")<{
  readonly path: string
  readonly reason: string
  /** What to do about it, without the full stop. */
  readonly advice: string
}> {
  static from(path: string, cause: unknown): HomeUnusable {
    const { advice, reason } = refusalOf(cause) ?? { reason: messageOf(cause), advice: "Fix that" }
    return new HomeUnusable({ path, reason, advice: `${advice}, or ${elsewhere}` })
  }

  override get message() {
    return `${printable(this.path, 400)} cannot be used: ${this.reason}. ${this.advice}.`
  }
}

/** The paths below `root`. */
export const pathsBelow = (root: string): HomePaths => ({
  root,
  settingsFile: join(root, "daemon.toml"),
  envFile: join(root, "env"),
  idFile: join(root, "id"),
  selectedFile: join(root, "selected"),
  historyFile: join(root, "history.jsonl"),
  socket: join(root, "autopilotd.sock"),
  pidFile: join(root, "autopilotd.pid"),
  lockFile: join(root, "autopilotd.lock"),
  stateDir: join(root, "state"),
  logDir: join(root, "logs"),
  binDir: join(root, "bin")
})

export const layer: Layer.Layer<AutopilotHome> = Layer.sync(AutopilotHome, () => {
  const configured = process.env["AUTOPILOT_HOME"]
  return pathsBelow(
    configured === undefined || configured === "" ? join(homedir(), ".autopilot") : resolve(configured)
  )
})

/**
 * Makes a folder and those it is in. Node's own `recursive` never returns where a folder that exists takes no new
 * ones and says so with ENOENT, as /proc and a removed folder do.
 */
const makeFolder = async (path: string): Promise<void> => {
  const make = async () => {
    try {
      await fs.mkdir(path, { mode: 0o700 })
    } catch (cause) {
      if (errorCode(cause) !== "EEXIST" || !(await fs.stat(path)).isDirectory()) throw cause
    }
  }
  try {
    await make()
  } catch (cause) {
    if (errorCode(cause) !== "ENOENT" || dirname(path) === path) throw cause
    await makeFolder(dirname(path))
    await make()
  }
}

/** Of a folder like /tmp, where everybody may make files and nobody may remove those of others. */
const stickyBit = 0o1000

/**
 * Makes the folders, closed to others (0700: the socket below is a way to run commands), and proves that a file can
 * be written: a full disk is told now and not at the first crash.
 */
export const prepare: Effect.Effect<void, HomeUnusable, AutopilotHome> = Effect.gen(function* () {
  const home = yield* AutopilotHome
  const attempt = <A>(path: string, act: () => Promise<A>) =>
    Effect.tryPromise({ try: act, catch: (cause) => HomeUnusable.from(path, cause) })
  const folder = (path: string) => attempt(path, () => makeFolder(path))
  yield* folder(home.root)
  const { mode, uid } = yield* attempt(home.root, () => fs.stat(home.root))
  if ((mode & stickyBit) !== 0) {
    const reason = "it is a folder that all users share, and a daemon's is closed to others"
    return yield* new HomeUnusable({ path: home.root, reason, advice: `Choose a folder in it: ${elsewhere}` })
  }
  if (uid === process.getuid?.()) yield* attempt(home.root, () => fs.chmod(home.root, 0o700))
  yield* folder(home.stateDir)
  yield* folder(home.logDir)
  // One name for all: what a killed start has left, the next one removes.
  const probe = join(home.root, ".probe")
  yield* attempt(home.root, () => fs.writeFile(probe, "can be written\n", { mode: 0o600 })).pipe(
    Effect.ensuring(Effect.promise(() => fs.rm(probe, { force: true }).catch(() => undefined)))
  )
})

/**
 * The home's own random id, made once. It marks every worker, so that a daemon ends only what its own home started.
 * Call it while holding the lock: two writers would make two ids.
 */
export const homeId: Effect.Effect<string, HomeUnusable, AutopilotHome> = Effect.gen(function* () {
  const { idFile } = yield* AutopilotHome
  const attempt = <A>(act: () => Promise<A>) =>
    Effect.tryPromise({ try: act, catch: (cause) => HomeUnusable.from(idFile, cause) })
  const stored = yield* attempt(() =>
    fs.readFile(idFile, "utf8").catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === "ENOENT") return ""
      throw cause
    })
  )
  if (/^[0-9a-f]{16}$/.test(stored.trim())) return stored.trim()
  const id = randomBytes(8).toString("hex")
  yield* attempt(() => replaceFile(idFile, `${id}\n`))
  return id
})
