import { type FSWatcher, watch } from "node:fs"
import { basename } from "node:path"
import { errorCode, messageOf } from "./SystemError.ts"

/** A name in a folder. */
export interface Place {
  readonly folder: string
  readonly name: string
}

const whyNot = (cause: unknown): string => {
  switch (errorCode(cause)) {
    case "ENOSPC":
      return "no inotify watches are left (raise fs.inotify.max_user_watches)"
    case "EMFILE":
    case "ENFILE":
      return "no inotify instances are left (raise fs.inotify.max_user_instances), or too many files are open"
    case "EACCES":
    case "EPERM":
      return "it cannot be read (permission denied)"
    default:
      return messageOf(cause)
  }
}

interface Watched {
  readonly watcher: FSWatcher
  /** What matters of the folder. */
  names: ReadonlySet<string>
}

/**
 * Watches on folders, each for some names in it; `wake` is called when something has happened to one of them or to the
 * folder. The kernel tells it (inotify), so nothing is done while nothing happens.
 */
export class FolderWatches {
  readonly #watched = new Map<string, Watched>()
  readonly #wake: () => void

  constructor(wake: () => void) {
    this.#wake = wake
  }

  /** Watches exactly these places from now on. Why one of the folders cannot be watched, as a sentence, if so. */
  follow(places: ReadonlyArray<Place>): string | undefined {
    const wanted = new Map<string, Set<string>>()
    for (const { folder, name } of places)
      wanted.set(folder, (wanted.get(folder) ?? new Set<string>()).add(name))
    for (const folder of this.#watched.keys()) if (!wanted.has(folder)) this.#drop(folder)
    let trouble: string | undefined
    for (const [folder, names] of wanted) {
      const known = this.#watched.get(folder)
      if (known !== undefined) {
        known.names = names
        continue
      }
      try {
        this.#add(folder, names)
      } catch (cause) {
        trouble = `${folder} cannot be watched for changes: ${whyNot(cause)}.`
      }
    }
    return trouble
  }

  close(): void {
    for (const folder of this.#watched.keys()) this.#drop(folder)
  }

  #add(folder: string, names: ReadonlySet<string>): void {
    const watcher = watch(folder)
    const watched: Watched = { watcher, names }
    this.#watched.set(folder, watched)
    const isCurrent = () => this.#watched.get(folder) === watched
    watcher.on("change", (_event, name) => {
      if (!isCurrent()) return
      const isNamed = typeof name === "string" && watched.names.has(name)
      // Its own name means that the folder itself was moved, removed or changed: what is there now is watched anew.
      const isItself = name === null || name === basename(folder)
      if (isItself) this.#drop(folder)
      if (isNamed || isItself) this.#wake()
    })
    watcher.on("error", () => {
      if (!isCurrent()) return
      this.#drop(folder)
      this.#wake()
    })
  }

  #drop(folder: string): void {
    this.#watched.get(folder)?.watcher.close()
    this.#watched.delete(folder)
  }
}
