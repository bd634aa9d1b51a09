import * as fs from "node:fs"
import { join } from "node:path"
import { unnamed } from "../../../src/Domain/Project.ts"
import { workerGroup } from "../../../src/Layers/tree/WorkerGroup.ts"
import type { WorkerWorld } from "../worker/WorkerWorld.ts"

/** Makes files that stand for a cgroup of version 2, without memory at first. */
export const pretendGroup = (folder: string, pids: ReadonlyArray<number>) => {
  fs.mkdirSync(folder, { recursive: true })
  const write = (name: string, text: string) => fs.writeFileSync(join(folder, name), text)
  write("cgroup.procs", pids.map((pid) => `${pid}\n`).join(""))
  return {
    folder,
    /** Memory is accounted for it, this much. */
    holds: ({
      anonBytes,
      cacheBytes = 0,
      swapBytes = 0
    }: {
      readonly anonBytes: number
      readonly cacheBytes?: number
      readonly swapBytes?: number
    }) => {
      write("memory.stat", `anon ${anonBytes}\nfile ${cacheBytes}\nkernel 0\nshmem 0\nslab_reclaimable 0\n`)
      write("memory.swap.current", `${swapBytes}\n`)
      for (const [name, text] of [
        ["memory.max", "max\n"],
        ["memory.oom.group", "1\n"]
      ] as const) {
        if (!fs.existsSync(join(folder, name))) write(name, text)
      }
    },
    /** What one of its files says. */
    file: (name: string) => fs.readFileSync(join(folder, name), "latin1")
  }
}

/** Gives the worker with this id a cgroup of its own. */
export const groupOf = ({ groups, proc }: WorkerWorld, workerId: string, pids: ReadonlyArray<number>) => {
  const pretended = pretendGroup(join(proc.root, "cgroup", workerId), pids)
  const group = workerGroup(pretended.folder, `/unit/${workerId}`)
  groups.set(workerId, { project: unnamed, workerId, group })
  return pretended
}
