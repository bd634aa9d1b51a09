import { randomBytes } from "node:crypto"
import * as fs from "node:fs/promises"
import { homedir } from "node:os"
import { join, resolve } from "node:path"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** Where everything of one daemon lives. All paths are absolute. */
export interface HomePaths {
  readonly root: string
  readonly settingsFile: string
  readonly envFile: string
  readonly idFile: string
  readonly socket: string
  readonly pidFile: string
  readonly lockFile: string
  readonly stateDir: string
  readonly logDir: string
  readonly binDir: string
}

/** `$AUTOPILOT_HOME`, by default `~/.autopilot`: the paths, without touching the disk. */
export class AutopilotHome extends Context.Tag("AutopilotHome")<AutopilotHome, HomePaths>() {}

/** The folder cannot be made or written, so nothing can be kept there. */
export class HomeUnusable extends Data.TaggedError("HomeUnusable")<{
  readonly path: string
  readonly reason: string
}> {
  override get message() {
    return `${this.path} cannot be used: ${this.reason}. Make it writable for you, or set AUTOPILOT_HOME to another folder.`
  }
}

/** The paths below `root`. */
export const pathsBelow = (root: string): HomePaths => ({
  root,
  settingsFile: join(root, "daemon.toml"),
  envFile: join(root, "env"),
  idFile: join(root, "id"),
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

const why = (cause: unknown): string => {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : ""
  switch (code) {
    case "EACCES":
    case "EPERM":
      return "permission denied"
    case "EROFS":
      return "it is on a read-only file system"
    case "ENOSPC":
      return "the disk is full"
    case "ENOTDIR":
    case "EEXIST":
      return "a part of the path is a file, not a folder"
    default:
      return cause instanceof Error ? cause.message : String(cause)
  }
}

/**
 * Makes the folders, closed to others (0700: the socket below is a way to run commands), and proves that a file can
 * be written: a full disk is told now and not at the first crash.
 */
export const prepare: Effect.Effect<void, HomeUnusable, AutopilotHome> = Effect.gen(function* () {
  const home = yield* AutopilotHome
  const attempt = (path: string, act: () => Promise<unknown>) =>
    Effect.tryPromise({ try: act, catch: (cause) => new HomeUnusable({ path, reason: why(cause) }) })
  for (const path of [home.root, home.stateDir, home.logDir]) {
    yield* attempt(path, () => fs.mkdir(path, { recursive: true, mode: 0o700 }))
  }
  yield* attempt(home.root, () => fs.chmod(home.root, 0o700))
  const probe = join(home.root, `.probe-${process.pid}`)
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
    Effect.tryPromise({ try: act, catch: (cause) => new HomeUnusable({ path: idFile, reason: why(cause) }) })
  const stored = yield* attempt(() =>
    fs.readFile(idFile, "utf8").catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === "ENOENT") return ""
      throw cause
    })
  )
  if (/^[0-9a-f]{16}$/.test(stored.trim())) return stored.trim()
  const id = randomBytes(8).toString("hex")
  yield* attempt(async () => {
    await fs.writeFile(`${idFile}.new`, `${id}\n`, { mode: 0o600 })
    await fs.rename(`${idFile}.new`, idFile)
  })
  return id
})
