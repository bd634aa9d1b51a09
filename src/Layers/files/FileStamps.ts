import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import type { DiskQuestion, SilentDisk } from "./DiskTurns.ts"
import { askDiskPlainly } from "./PathQuestions.ts"

/** The properties that tell one version of a file from the next, by path. */
export type FileStamps = ReadonlyMap<string, string>

/** The kernel stamps changes by a clock that ticks every few milliseconds, and another machine's may be behind. */
const settledMs = 1000

let unknown = 0

/** Equals no other stamp. */
const unlike = (): string => `unlike ${unknown++}`

/** A file that has just changed may change again unseen. A folder changes whenever a file in it is made. */
const stampOf = (found: fs.Stats): string => {
  const { ctimeMs, dev, gid, ino, mode, size, uid } = found
  const kind = [dev, ino, mode, uid, gid]
  if (found.isDirectory()) return kind.join()
  return Date.now() - ctimeMs < settledMs ? unlike() : [...kind, size, ctimeMs].join()
}

/** Asks the disks about all paths at once, as one question of `asker`. */
export const stampsQuestion = (asker: string, paths: ReadonlyArray<string>): DiskQuestion<FileStamps> => {
  const open = new Set(paths)
  return {
    asker,
    path: () => [...open].at(0) ?? asker,
    begin: (answer) => {
      const stamps = new Map<string, string>()
      if (open.size === 0) answer(stamps)
      for (const path of open) {
        fs.stat(path, (error, found) => {
          const missing = error?.code === "ENOENT" ? "absent" : unlike()
          stamps.set(path, error === null ? stampOf(found) : missing)
          open.delete(path)
          if (open.size === 0) answer(stamps)
        })
      }
    }
  }
}

/** The answer to that question. */
export const fileStamps = (
  asker: string,
  paths: ReadonlyArray<string>
): Effect.Effect<FileStamps, SilentDisk> => Effect.suspend(() => askDiskPlainly(stampsQuestion(asker, paths)))
