import { randomBytes } from "node:crypto"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { replaceFile } from "../files/AtomicFile.ts"
import { askDisk } from "../files/PathQuestions.ts"
import { readSmallFile, readTextFile } from "../files/TextFile.ts"
import { type HomePaths, HomeUnusable } from "./AutopilotHome.ts"

/** The random id of a home. It marks every worker, so that a daemon kills only the processes of its own home. */
interface HomeId {
  readonly id: string
  /** Why the id is not the one in the file, or what the file had lost; undefined when there is nothing to report. */
  readonly change: string | undefined
}

const attempt = <A>(path: string, act: () => Promise<A>) =>
  Effect.tryPromise({ try: act, catch: (cause) => HomeUnusable.from(path, cause) })

/** The content of a file of the home; undefined without one, empty for a folder, and for a pipe, whose reading may never end. */
const readIfThere = (path: string): Effect.Effect<string | undefined, HomeUnusable> =>
  readSmallFile(path).pipe(
    Effect.map(({ bytes }) => Buffer.from(bytes).toString("latin1")),
    Effect.catchAll(({ absent, reason }) =>
      absent
        ? Effect.succeed(undefined)
        : askDisk(
            path,
            path,
            attempt(path, () => fs.stat(path))
          ).pipe(
            Effect.catchTag("SilentDisk", (silent) => HomeUnusable.from(path, silent)),
            Effect.filterOrFail(
              (stat) => !stat.isFile(),
              () => HomeUnusable.from(path, new Error(`it ${reason}`))
            ),
            Effect.as("")
          )
    )
  )

/** Device and inode of the home, which a copy of it does not share. */
const placeOf = ({ idFile, root }: HomePaths): Effect.Effect<string, HomeUnusable> =>
  Effect.map(
    attempt(idFile, () => fs.stat(root, { bigint: true })),
    ({ dev, ino }) => `${dev}:${ino}`
  )

const isId = (text: string): boolean => /^[0-9a-f]{16}$/.test(text)

/** The id in the saved state or the leader file of any project: its workers carry it, also when the file is lost. */
const savedId = ({ stateDir }: HomePaths): Effect.Effect<string | undefined> =>
  Effect.gen(function* () {
    const names = yield* Effect.promise(() => fs.readdir(stateDir).catch(() => []))
    for (const name of names.filter((name) => /\.(?:json|leader)$/.test(name))) {
      const text = yield* Effect.orElseSucceed(readTextFile(join(stateDir, name)), () => ({ text: "" }))
      const found = /"(?:workerId|homeId)"\s*:\s*"([0-9a-f]{16})[:"]/.exec(text.text)?.[1]
      if (found !== undefined) return found
    }
    return undefined
  })

/** What the files hold; undefined without them. `here` is the place of the home itself. */
interface Stored {
  readonly id: string | undefined
  readonly place: string | undefined
  readonly here: string
}

const storedIn = Effect.fnUntraced(function* (home: HomePaths) {
  const id = yield* readIfThere(home.idFile)
  const place = yield* readIfThere(home.placeFile)
  return { id: id?.trim(), place: place?.trim(), here: yield* placeOf(home) } satisfies Stored
})

const find = Effect.fnUntraced(function* (home: HomePaths, { here, id, place }: Stored) {
  if (place !== undefined && place !== here) {
    return {
      id: undefined,
      change:
        "this folder is a copy of another home, or was moved to another disk. Workers of that home stay alone"
    }
  }
  if (isId(id ?? "")) return { id, change: undefined }
  const lost = id === undefined ? `${home.idFile} was missing` : `${home.idFile} held no id`
  const saved = yield* savedId(home)
  return saved === undefined
    ? {
        id: undefined,
        change: `${lost}, and so is the id in the saved state. A worker that a killed daemon has left is not recognised`
      }
    : { id: saved, change: `${lost}; the saved state still had the id, which the file has again` }
})

const keep = Effect.fnUntraced(function* (home: HomePaths, stored: Stored, id: string) {
  const write = (path: string, text: string) => attempt(path, () => replaceFile(path, `${text}\n`))
  if (stored.id !== id) yield* write(home.idFile, id)
  if (stored.place !== stored.here) yield* write(home.placeFile, stored.here)
})

/** Writes the id, and the place of the home that it belongs to, where they are not yet on disk. */
export const keepId = (home: HomePaths, id: string): Effect.Effect<void, HomeUnusable> =>
  Effect.flatMap(storedIn(home), (stored) => keep(home, stored, id))

/** The id of an existing home as far as it is known, for commands. They write nothing. */
export const knownId = (home: HomePaths): Effect.Effect<string | undefined> =>
  Effect.flatMap(storedIn(home), (stored) => find(home, stored)).pipe(
    Effect.map(({ id }) => id),
    Effect.orElseSucceed(() => undefined)
  )

/**
 * The home's id, which is created once. A copy of the home gets its own: its daemon would otherwise kill the workers of
 * the original. Requires the lock: two writers would create two ids.
 */
export const homeId = (home: HomePaths): Effect.Effect<HomeId, HomeUnusable> =>
  Effect.gen(function* () {
    const stored = yield* storedIn(home)
    const { change, id: found } = yield* find(home, stored)
    const id = found ?? randomBytes(8).toString("hex")
    yield* keep(home, stored, id)
    const isNew = yield* Effect.promise(() => isFresh(home))
    return { id, change: isNew ? undefined : change }
  })

/** Whether no daemon has ever run here: without a history there is nothing that a new id could be lost to. */
const isFresh = ({ historyFile }: HomePaths): Promise<boolean> =>
  fs.access(historyFile).then(
    () => false,
    () => true
  )
