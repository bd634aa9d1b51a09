import { readdirSync } from "node:fs"
import * as fs from "node:fs/promises"
import { basename } from "node:path"
import * as Effect from "effect/Effect"
import { askDisk } from "../files/PathQuestions.ts"
import { errorCode } from "../files/SystemError.ts"
import type { HomePaths } from "./AutopilotHome.ts"
import { type HomeLock, isAt, isAtNow } from "./HomeLock.ts"

/** The losses of a home: its lock file, and files that the daemon needs and can make again. */
interface HomeLosses {
  readonly isLockLost: boolean
  readonly missing: ReadonlyArray<string>
}

/** The names in a folder; none where there is no folder, undefined where it cannot be listed. */
const namesIn = (folder: string): Promise<ReadonlySet<string> | undefined> =>
  fs.readdir(folder).then(
    (names) => new Set(names),
    (cause: unknown) => (errorCode(cause) === "ENOENT" ? new Set() : undefined)
  )

const missingIn = (
  { idFile, lockFile, logDir, pidFile, placeFile, stateDir }: HomePaths,
  stateFiles: ReadonlySet<string>,
  names: ReadonlySet<string> | undefined,
  states: ReadonlySet<string> | undefined
): ReadonlyArray<string> => {
  const missing = [lockFile, stateDir, logDir, idFile, placeFile, pidFile].filter(
    (path) => names?.has(basename(path)) === false
  )
  const unsaved = [...stateFiles].filter((path) => states?.has(basename(path)) === false)
  return missing.includes(stateDir) ? missing : [...missing, ...unsaved]
}

/**
 * Asks for the losses of the home. Each start of a worker asks, so this is one question, which lists two folders. A disk
 * that does not answer has lost nothing.
 */
export const lossesOf = (
  home: HomePaths,
  lock: HomeLock,
  stateFiles: ReadonlySet<string>
): Effect.Effect<HomeLosses> => {
  const question = Effect.promise(async () => {
    const [isLockHere, names, states] = await Promise.all([
      isAt(home.lockFile, lock),
      namesIn(home.root),
      namesIn(home.stateDir)
    ])
    return { isLockLost: !isLockHere, missing: missingIn(home, stateFiles, names, states) }
  })
  return Effect.orElseSucceed(askDisk(home.root, home.root, question), () => ({
    isLockLost: false,
    missing: []
  }))
}

/** Whether the home has lost nothing, asked synchronously: for a local disk. False also where it cannot be read. */
export const isWhole = (home: HomePaths, lock: HomeLock, stateFiles: ReadonlySet<string>): boolean => {
  try {
    const names = new Set(readdirSync(home.root))
    const states = new Set(readdirSync(home.stateDir))
    return isAtNow(home.lockFile, lock) && missingIn(home, stateFiles, names, states).length === 0
  } catch (cause) {
    if (errorCode(cause) === undefined) throw cause
    return false
  }
}
