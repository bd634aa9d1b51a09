import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { memoryMounts } from "../../../src/Domain/machine/CgroupMemory.ts"
import { eventually, killForSure } from "../TestDaemon.ts"

/** Where cgroup version 2 is mounted, beside version 1 or alone. */
const mountPoint = memoryMounts(fs.readFileSync("/proc/self/mountinfo", "latin1"), 2).find(
  ({ root }) => root === "/"
)?.mountPoint

/** Why no cgroup of version 2 can be made here; undefined when one can. */
export const noUnifiedGroup = ((): string | undefined => {
  if (mountPoint === undefined) return "cgroup version 2 is not mounted"
  try {
    const folder = fs.mkdtempSync(join(mountPoint, "autopilotd-test-"))
    const hasKill = fs.existsSync(join(folder, "cgroup.kill"))
    fs.rmdirSync(folder)
    return hasKill ? undefined : "the kernel has no cgroup.kill"
  } catch (cause) {
    return `no cgroup can be made in ${mountPoint}: ${String(cause)}`
  }
})()

const foldersIn = (folder: string): ReadonlyArray<string> =>
  fs
    .readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(folder, name))

export const pidsIn = (folder: string): ReadonlyArray<number> =>
  fs.readFileSync(join(folder, "cgroup.procs"), "latin1").split("\n").filter(Boolean).map(Number)

const remove = (folder: string): void => {
  for (const below of foldersIn(folder)) remove(below)
  fs.rmdirSync(folder)
}

/** A group of a test's own with its path in `/proc/<pid>/cgroup`. At the end all in it are killed, and it is removed. */
export const unifiedGroup = Effect.acquireRelease(
  Effect.sync(() => {
    const folder = fs.mkdtempSync(join(mountPoint ?? "/nowhere", "autopilotd-test-"))
    return { folder, path: folder.slice((mountPoint ?? "").length) }
  }),
  ({ folder }) =>
    eventually(
      `${folder} can be removed`,
      Effect.try(() => {
        fs.writeFileSync(join(folder, "cgroup.kill"), "1")
        remove(folder)
        return true
      })
    )
)

/** A process that is started into a group, in a session of its own; killed at the end. */
export const processIn = (folder: string, script: string, env: Readonly<Record<string, string>> = {}) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn("/bin/bash", ["-c", `echo 0 >${folder}/cgroup.procs; ${script}`], {
        detached: true,
        stdio: "ignore",
        env: { PATH: process.env["PATH"] ?? "", ...env }
      })
      return child.pid ?? 0
    }),
    (pid) => Effect.sync(() => killForSure(pid))
  ).pipe(Effect.tap((pid) => eventually(`${pid} is in ${folder}`, () => pidsIn(folder).includes(pid))))
