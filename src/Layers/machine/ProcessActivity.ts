import * as fs from "node:fs"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ProcUnreadable } from "./ProcFs.ts"
import { makeProcReader } from "./ProcReader.ts"

/** Whether processes and files do anything. */
export class ProcessActivity extends Context.Tag("ProcessActivity")<
  ProcessActivity,
  {
    /** The CPU time that each process has used, in milliseconds. Whoever is gone is left out. */
    readonly cpuMs: (
      pids: ReadonlyArray<number>
    ) => Effect.Effect<ReadonlyMap<number, number>, ProcUnreadable>
    /** A text that differs when any of the files or folders has changed, has come or has gone. */
    readonly files: (paths: ReadonlyArray<string>) => Effect.Effect<string>
  }
>() {}

/** What the kernel counts CPU time in, for programs: 100 a second on every architecture that Node runs on. */
const millisPerTick = 10

/**
 * The 14th and 15th field of `/proc/<pid>/stat`, counted from the end of the name, which may hold anything.
 * https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */
const cpuMsIn = (stat: string): number | undefined => {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  const ticks = Number(fields[11]) + Number(fields[12])
  return Number.isSafeInteger(ticks) ? ticks * millisPerTick : undefined
}

/** The newest change in a folder, and not only of the folder itself: agents write to the same files for hours. */
const stampOf = (path: string): string => {
  const stat = fs.statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return "-"
  if (!stat.isDirectory()) return `${stat.mtimeMs} ${stat.size}`
  const changes = fs
    .readdirSync(path)
    .map((name) => fs.statSync(`${path}/${name}`, { throwIfNoEntry: false })?.mtimeMs ?? 0)
  return `${stat.mtimeMs} ${changes.reduce((newest, mtimeMs) => Math.max(newest, mtimeMs), 0)}`
}

const make = (root: string) => {
  const reader = makeProcReader()
  return ProcessActivity.of({
    cpuMs: (pids) =>
      Effect.try({
        try: () => {
          const used = new Map<number, number>()
          for (const pid of pids) {
            const stat = reader.whole(`${root}/${pid}/stat`)?.toString("latin1")
            const cpuMs = stat === undefined ? undefined : cpuMsIn(stat)
            if (cpuMs !== undefined) used.set(pid, cpuMs)
          }
          return used
        },
        catch: (cause) => new ProcUnreadable({ reason: String(cause) })
      }),
    files: (paths) =>
      Effect.sync(() =>
        paths
          .map((path) => {
            try {
              return stampOf(path)
            } catch {
              // What cannot be read shows no life, and is no reason to hide that nothing else does.
              return "?"
            }
          })
          .join("\n")
      )
  })
}

/** Looks at processes below another root, as tests do. */
export const layerAt = (root: string): Layer.Layer<ProcessActivity> =>
  Layer.sync(ProcessActivity, () => make(root))

export const layer: Layer.Layer<ProcessActivity> = layerAt("/proc")
