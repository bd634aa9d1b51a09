import * as fs from "node:fs/promises"
import { dirname, join } from "node:path"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { printable } from "../../Domain/text/Printable.ts"
import { tryWriting } from "../files/AtomicFile.ts"
import { distrust } from "../files/Ownership.ts"
import { askDisk } from "../files/PathQuestions.ts"
import { errorCode, messageOf, refusalOf } from "../files/SystemError.ts"
import {
  autopilotFolder,
  binBelow,
  envFileBelow,
  historyBelow,
  logsBelow,
  settingsBelow,
  socketBelow
} from "./HomeFolder.ts"
import { NoUserHome } from "./UserHome.ts"

/** The files of one daemon. All paths are absolute. */
export interface HomePaths {
  readonly root: string
  readonly settingsFile: string
  readonly envFile: string
  readonly idFile: string
  /** Device and inode of the folder that the id belongs to. */
  readonly placeFile: string
  /** The name of the selected project. */
  readonly selectedFile: string
  /** The projects that `autopilotd run` has added. */
  readonly addedFile: string
  /** The usage limits that logins have met. */
  readonly loginsFile: string
  /** What has been told by notifications, and what waits to be sent. */
  readonly notifyFile: string
  /** Events, one JSON object a line. */
  readonly historyFile: string
  /** The memory timeline of the last day. */
  readonly samplesFile: string
  readonly socket: string
  readonly pidFile: string
  /** Its time is the last sign of life of the daemon, which removes it when it stops. */
  readonly aliveFile: string
  readonly lockFile: string
  /** Locked by the relay that works for this home. */
  readonly relayLockFile: string
  readonly stateDir: string
  readonly logDir: string
  readonly binDir: string
}

/** `$AUTOPILOT_HOME`, by default `~/.autopilot`: the paths, without touching the disk. */
export class AutopilotHome extends Context.Tag("AutopilotHome")<AutopilotHome, HomePaths>() {}

const elsewhere = "set AUTOPILOT_HOME to another folder"

/** The home cannot be created or written. */
export class HomeUnusable extends Data.TaggedError("HomeUnusable")<{
  readonly path: string
  readonly reason: string
  /** The action, without its full stop. */
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

export const pathsBelow = (root: string): HomePaths => ({
  root,
  settingsFile: settingsBelow(root),
  envFile: envFileBelow(root),
  idFile: join(root, "id"),
  placeFile: join(root, "id.place"),
  selectedFile: join(root, "selected"),
  addedFile: join(root, "run.json"),
  loginsFile: join(root, "logins.json"),
  notifyFile: join(root, "notify.json"),
  historyFile: historyBelow(root),
  samplesFile: join(root, "samples"),
  socket: socketBelow(root),
  pidFile: join(root, "autopilotd.pid"),
  aliveFile: join(root, "autopilotd.alive"),
  lockFile: join(root, "autopilotd.lock"),
  relayLockFile: join(root, "relay.lock"),
  stateDir: join(root, "state"),
  logDir: logsBelow(root),
  binDir: binBelow(root)
})

export const layer: Layer.Layer<AutopilotHome, NoUserHome> = Layer.effect(
  AutopilotHome,
  Effect.suspend(() => {
    const root = autopilotFolder()
    return root === undefined
      ? new NoUserHome({ configured: process.env["HOME"] })
      : Effect.succeed(pathsBelow(root))
  })
)

/**
 * Creates a folder and its parents. Node's own `recursive` loops for ever in a folder that refuses new ones with ENOENT,
 * as /proc and a removed folder do.
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

/** The mode bit of folders such as /tmp, in which all users create files. */
const stickyBit = 0o1000

/** Rejects with what is wrong with a path. */
const orUnusable = <A>(path: string, question: Promise<A>): Promise<A> =>
  question.catch((cause) => Promise.reject(HomeUnusable.from(path, cause)))

const prepared = async ({ logDir, root, stateDir }: HomePaths): Promise<void> => {
  await orUnusable(root, makeFolder(root))
  const stat = await orUnusable(root, fs.stat(root))
  const { mode, uid } = stat
  if ((mode & stickyBit) !== 0) {
    const reason = "all users share this folder, and the daemon's must be private"
    throw new HomeUnusable({ path: root, reason, advice: `Choose a folder in it: ${elsewhere}` })
  }
  const found = await distrust(stat)
  if (found !== undefined) {
    const reason = `it ${found.reason}, and its files say what runs as you`
    const advice =
      found.chmod === undefined
        ? `Run autopilotd as that user, or ${elsewhere} of your own`
        : uid === process.getuid?.()
          ? `Look through its files, then run: chmod 700 ${root}`
          : `Choose a folder of your own in it: ${elsewhere}`
    throw new HomeUnusable({ path: root, reason, advice })
  }
  if (uid === process.getuid?.()) await orUnusable(root, fs.chmod(root, 0o700))
  await orUnusable(stateDir, makeFolder(stateDir))
  await orUnusable(logDir, makeFolder(logDir))
  await orUnusable(root, tryWriting(root))
}

/**
 * Creates the folders with mode 0700, because the socket below them runs commands, and writes a probe file, so that a
 * start fails on a full disk.
 */
export const prepare: Effect.Effect<void, HomeUnusable, AutopilotHome> = Effect.flatMap(
  AutopilotHome,
  (home) =>
    askDisk(
      home.root,
      home.root,
      Effect.tryPromise({
        try: () => prepared(home),
        catch: (cause) => (cause instanceof HomeUnusable ? cause : HomeUnusable.from(home.root, cause))
      })
    ).pipe(Effect.catchTag("SilentDisk", (cause) => HomeUnusable.from(home.root, cause)))
)
