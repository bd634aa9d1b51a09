import { randomBytes } from "node:crypto"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { replaceFile } from "../files/AtomicFile.ts"
import { errorCode } from "../files/SystemError.ts"
import { type HomePaths, HomeUnusable } from "./AutopilotHome.ts"

/** The random id of a home. It marks every worker, so that a daemon kills only the processes of its own home. */
export interface HomeId {
  readonly id: string
  /** Why the id is not the one in the file, or what the file had lost; undefined when there is nothing to report. */
  readonly change: string | undefined
}

const readIfThere = (path: string): Promise<string | undefined> =>
  fs.readFile(path, "utf8").catch((cause: unknown) => {
    if (errorCode(cause) === "ENOENT") return undefined
    throw cause
  })

/** Device and inode of the home, which a copy of it does not share. */
const placeOf = async ({ root }: HomePaths): Promise<string> => {
  const { dev, ino } = await fs.stat(root, { bigint: true })
  return `${dev}:${ino}`
}

const isId = (text: string): boolean => /^[0-9a-f]{16}$/.test(text)

/** The id in the saved state of any project: its workers carry it, whatever has become of the file. */
const savedId = async ({ stateDir }: HomePaths): Promise<string | undefined> => {
  for (const name of await fs.readdir(stateDir).catch(() => [])) {
    if (!name.endsWith(".json")) continue
    const text = await fs.readFile(join(stateDir, name), "utf8").catch(() => "")
    const found = /"workerId"\s*:\s*"([0-9a-f]{16}):/.exec(text)?.[1]
    if (found !== undefined) return found
  }
  return undefined
}

const find = async (
  home: HomePaths
): Promise<HomeId | { readonly id: undefined; readonly change: string }> => {
  const stored = await readIfThere(home.idFile)
  const text = (stored ?? "").trim()
  const place = (await readIfThere(home.placeFile))?.trim()
  if (place !== undefined && place !== (await placeOf(home))) {
    return {
      id: undefined,
      change:
        "this folder is a copy of another home, or was moved to another disk. Workers of that home stay alone"
    }
  }
  if (isId(text)) return { id: text, change: undefined }
  const lost = stored === undefined ? `${home.idFile} was missing` : `${home.idFile} held no id`
  const saved = await savedId(home)
  return saved === undefined
    ? {
        id: undefined,
        change: `${lost}, and so is the id in the saved state. A worker that a killed daemon has left is not recognised`
      }
    : { id: saved, change: `${lost}; the saved state still had the id, which the file has again` }
}

const attempt = <A>({ idFile }: HomePaths, act: () => Promise<A>) =>
  Effect.tryPromise({ try: act, catch: (cause) => HomeUnusable.from(idFile, cause) })

/** Writes the id, and the place of the home that it belongs to, where they are not yet on disk. */
export const keepId = (home: HomePaths, id: string): Effect.Effect<void, HomeUnusable> =>
  attempt(home, async () => {
    const place = await placeOf(home)
    if ((await readIfThere(home.idFile))?.trim() !== id) await replaceFile(home.idFile, `${id}\n`)
    if ((await readIfThere(home.placeFile))?.trim() !== place) await replaceFile(home.placeFile, `${place}\n`)
  })

/** The id of an existing home as far as it is known, for commands. They write nothing. */
export const knownId = (home: HomePaths): Effect.Effect<string | undefined> =>
  Effect.promise(() =>
    find(home)
      .then(({ id }) => id)
      .catch(() => undefined)
  )

/**
 * The home's id, which is created once. A copy of the home gets its own: its daemon would otherwise kill the workers of
 * the original. Requires the lock: two writers would create two ids.
 */
export const homeId = (home: HomePaths): Effect.Effect<HomeId, HomeUnusable> =>
  Effect.gen(function* () {
    const { change, id: found } = yield* attempt(home, () => find(home))
    const id = found ?? randomBytes(8).toString("hex")
    yield* keepId(home, id)
    const isNew = yield* Effect.promise(() => isFresh(home))
    return { id, change: isNew ? undefined : change }
  })

/** Whether no daemon has ever run here: without a history there is nothing that a new id could be lost to. */
const isFresh = ({ historyFile }: HomePaths): Promise<boolean> =>
  fs.access(historyFile).then(
    () => false,
    () => true
  )
