import { readFileSync } from "node:fs"

let known: number | undefined

const read = (): number => {
  try {
    return Number(/^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1])
  } catch {
    return Number.NaN
  }
}

/** The files that this process may open: NaN where that is unknown or unlimited. Node has raised it as far as it may. */
export const openFilesLimit = (): number => (known ??= read())
