import * as fs from "node:fs"
import { join } from "node:path"

export const MiB = 2 ** 20

const uid = process.getuid?.() ?? 0

/** One process of a pretended /proc. */
export interface ProcRow {
  /** Init by default. */
  readonly parent?: number
  /** The pid by default: the process leads a session. */
  readonly session?: number
  /** The pid by default. */
  readonly start?: number
  readonly state?: string
  /** The kernel has not noted the end of the program's code yet. */
  readonly isInExec?: boolean
  readonly flags?: number
  readonly userTicks?: number
  readonly systemTicks?: number
  readonly residentBytes?: number
  readonly swapBytes?: number
  /** The contents of `smaps_rollup`; undefined: it cannot be read. */
  readonly share?: { readonly bytes: number; readonly swapBytes?: number }
  /** The worker's id in its environment. */
  readonly mark?: string
  /** The whole environment, instead of one with the mark. */
  readonly environ?: string
  readonly comm?: string
  readonly cmdline?: string
  /** The target of the link; undefined: it cannot be read. */
  readonly exe?: string | undefined
  readonly uids?: ReadonlyArray<number>
}

const pageBytes = 4096

/** The text of `/proc/<pid>/stat`. The name in it is hard to parse. */
export const statText = (pid: number, row: ProcRow = {}): string => {
  const { comm = "a) b (", flags = 0, parent = 1, session = pid, start = pid, state = "S" } = row
  const { isInExec = false, residentBytes = MiB, systemTicks = 0, userTicks = 0 } = row
  return `${pid} (${comm}) ${state} ${parent} ${session} ${session} 0 -1 ${flags} 0 0 0 0 ${userTicks} ${systemTicks} 9 9 20 0 1 0 ${start} 0 ${residentBytes / pageBytes} 0 4096 ${isInExec ? 0 : 8192} 65536\n`
}

/** Writes processes into a folder that stands for /proc. */
export const procFolder = (root: string) => ({
  root,
  /** Writes or rewrites a process. */
  put: (pid: number, row: ProcRow = {}) => {
    const { cmdline = "node\0server.js\0", comm = "node", mark, residentBytes = MiB, share } = row
    const { exe, uids = [uid, uid, uid, uid] } = { exe: "/usr/bin/node", ...row }
    const folder = join(root, String(pid))
    fs.mkdirSync(folder, { recursive: true })
    const write = (name: string, text: string) => fs.writeFileSync(join(folder, name), text)
    write("stat", statText(pid, row))
    write("statm", `9999 ${residentBytes / pageBytes} 0 0 0 0 0\n`)
    write("environ", row.environ ?? `PATH=/bin\0${mark === undefined ? "" : `AUTOPILOT_WORKER_ID=${mark}\0`}`)
    write("cmdline", cmdline)
    write(
      "status",
      `Name:\t${comm}\nUid:\t${uids.join("\t")}\nVmRSS:\t       1 kB\nVmSwap:\t${(row.swapBytes ?? 0) / 1024} kB\nThreads:\t1\n`
    )
    fs.rmSync(join(folder, "exe"), { force: true })
    if (exe !== undefined) fs.symlinkSync(exe, join(folder, "exe"))
    fs.rmSync(join(folder, "smaps_rollup"), { force: true })
    if (share !== undefined) {
      write(
        "smaps_rollup",
        `5571c5163000-7ffe2069f000 ---p 00000000 00:00 0                          [rollup]\n` +
          `Rss:            9999 kB\nPss:            ${share.bytes / 1024} kB\nPss_Anon:              0 kB\n` +
          `Swap:                  9 kB\nSwapPss:          ${(share.swapBytes ?? 0) / 1024} kB\nLocked:                0 kB\n`
      )
    }
  },
  /** Replaces one file of a process. */
  write: (pid: number, name: string, text: string) => fs.writeFileSync(join(root, `${pid}`, name), text),
  remove: (pid: number) => fs.rmSync(join(root, String(pid)), { recursive: true })
})

export type ProcFolder = ReturnType<typeof procFolder>
