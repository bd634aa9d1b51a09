import * as fs from "node:fs"
import { join } from "node:path"

export const MiB = 2 ** 20

/** One process of a /proc of the test's own. */
export interface ProcRow {
  /** Init, unless told. */
  readonly parent?: number
  /** Its own, unless told. */
  readonly session?: number
  readonly start?: number
  readonly state?: string
  readonly residentBytes?: number
  readonly swapBytes?: number
  /** What `smaps_rollup` says; undefined: it cannot be read. */
  readonly share?: { readonly bytes: number; readonly swapBytes?: number }
  /** The worker's id in its environment. */
  readonly mark?: string
}

const pageBytes = 4096

/** Writes processes into a folder that stands for /proc. */
export const procFolder = (root: string) => ({
  root,
  /** Writes one; again, it changes it. What tells who it is to the eye (command line, program) is not there. */
  put: (pid: number, row: ProcRow = {}) => {
    const { mark, parent = 1, residentBytes = MiB, session = pid, share, start = pid, state = "S" } = row
    const folder = join(root, String(pid))
    const pages = residentBytes / pageBytes
    fs.mkdirSync(folder, { recursive: true })
    const write = (name: string, text: string) => fs.writeFileSync(join(folder, name), text)
    write(
      "stat",
      `${pid} (node) ${state} ${parent} ${session} ${session} 0 -1 0 ${"0 ".repeat(12)}${start} 0 ${pages} 0\n`
    )
    write("statm", `9999 ${pages} 0 0 0 0 0\n`)
    write("environ", `PATH=/bin\0${mark === undefined ? "" : `AUTOPILOT_WORKER_ID=${mark}\0`}`)
    write(
      "status",
      `Name:\tnode\nVmRSS:\t       1 kB\nVmSwap:\t${(row.swapBytes ?? 0) / 1024} kB\nThreads:\t1\n`
    )
    fs.rmSync(join(folder, "smaps_rollup"), { force: true })
    if (share !== undefined) {
      write(
        "smaps_rollup",
        `5571c5163000-7ffe2069f000 ---p 00000000 00:00 0                          [rollup]\n` +
          `Rss:            ${pages * 4} kB\nPss:            ${share.bytes / 1024} kB\nPss_Anon:              0 kB\n` +
          `Swap:                  9 kB\nSwapPss:          ${(share.swapBytes ?? 0) / 1024} kB\nLocked:                0 kB\n`
      )
    }
  },
  remove: (pid: number) => fs.rmSync(join(root, String(pid)), { recursive: true })
})

export type ProcFolder = ReturnType<typeof procFolder>
