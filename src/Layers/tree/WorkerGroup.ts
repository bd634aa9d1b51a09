import * as fs from "node:fs"
import { mkdir, readdir, rmdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { parseAmount } from "../../Domain/machine/CgroupMemory.ts"
import { type GroupMemory, parseHeld } from "../../Domain/machine/GroupMemory.ts"
import { isPopulated } from "../../Domain/tree/WorkerGroup.ts"
import { errorCode, messageOf } from "../files/SystemError.ts"
import { cgroupMembers } from "../machine/CgroupMembers.ts"

/** An operation on a cgroup has failed. */
export class GroupRefused extends Data.TaggedError("GroupRefused")<{
  readonly folder: string
  readonly reason: string
}> {
  override get message() {
    return `${this.folder}: ${this.reason}`
  }
}

/** A cgroup (version 2) of one worker. Creation and removal can block, so they run in the thread pool. */
export interface WorkerGroup {
  readonly folder: string
  /** Its path in `/proc/<pid>/cgroup`. */
  readonly path: string
  /** `cgroup.procs`: a process enters by writing its pid, or `0`, into it. */
  readonly entrance: string
  /** The pids in it and in the groups below it, without zombies. */
  readonly members: () => ReadonlySet<number>
  /** Completes when the kernel reports it empty; never, if no notification is possible. */
  readonly emptied: Effect.Effect<void>
  /**
   * Kills all processes in it and below, also those that are being forked at this moment. Without effect before Linux
   * 5.14, or if the group is gone.
   */
  readonly kill: Effect.Effect<void>
  /** Removes it with the groups below. It may be gone already. */
  readonly remove: Effect.Effect<void, GroupRefused>
  /** The memory of its processes; undefined if the kernel does not account it. */
  readonly memory: () => GroupMemory | undefined
  /** Sets the limit that the kernel enforces; undefined removes it. */
  readonly limit: (bytes: number | undefined) => Effect.Effect<void, GroupRefused>
}

/** The text of a small file of the kernel; undefined when it cannot be read. */
const textOf = (path: string): string | undefined => {
  try {
    return fs.readFileSync(path, "latin1")
  } catch (cause) {
    if (errorCode(cause) === undefined) throw cause
    return undefined
  }
}

/** Never creates a file, which only the kernel can; and `cgroup.kill` cannot be read. */
const onlyWrite = { flag: fs.constants.O_WRONLY | fs.constants.O_TRUNC }

/** Ignores that something is gone already. */
const unlessMissing = async (act: () => Promise<unknown>): Promise<void> => {
  try {
    await act()
  } catch (cause) {
    if (errorCode(cause) !== "ENOENT") throw cause
  }
}

/** Turns the errors of an operation on a group into `GroupRefused`. */
export const refusable = <A>(folder: string, act: () => Promise<A>): Effect.Effect<A, GroupRefused> =>
  Effect.tryPromise({
    try: act,
    catch: (cause) => new GroupRefused({ folder, reason: messageOf(cause) })
  })

/** The kernel removes only groups without groups in them. The files in a group need no removal. */
const removeTree = async (folder: string): Promise<void> => {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await unlessMissing(() => removeTree(join(folder, entry.name)))
  }
  await rmdir(folder)
}

/** The kernel may be busy with the last process for a moment after its exit. */
const removalPatience = Schedule.spaced("20 millis").pipe(Schedule.upTo("500 millis"))

/** An unreadable group counts as populated. */
const isInUse = (folder: string): boolean => {
  const events = textOf(join(folder, "cgroup.events"))
  return events === undefined ? fs.existsSync(folder) : isPopulated(events)
}

const emptied = (folder: string): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    let watcher: fs.FSWatcher
    try {
      watcher = fs.watch(join(folder, "cgroup.events"), { persistent: false })
    } catch (cause) {
      if (errorCode(cause) === undefined) throw cause
      // The group is gone, or no inotify watch is free. The caller polls as well.
      if (!isInUse(folder)) resume(Effect.void)
      return undefined
    }
    const check = () => {
      if (isInUse(folder)) return
      watcher.close()
      resume(Effect.void)
    }
    watcher.on("change", check)
    watcher.on("error", check)
    // The last process may have exited before the watch began.
    check()
    return Effect.sync(() => watcher.close())
  })

/** The existing group in this folder. */
export const workerGroup = (folder: string, path: string): WorkerGroup => ({
  folder,
  path,
  entrance: join(folder, "cgroup.procs"),
  members: () => cgroupMembers(folder),
  emptied: emptied(folder),
  // If the kernel refuses, the processes are killed one by one, and survivors are reported.
  kill: Effect.ignore(refusable(folder, () => writeFile(join(folder, "cgroup.kill"), "1", onlyWrite))),
  remove: refusable(folder, () => unlessMissing(() => removeTree(folder))).pipe(
    Effect.retry(removalPatience)
  ),
  memory: () => {
    const residentBytes = parseHeld(textOf(join(folder, "memory.stat")) ?? "")
    if (residentBytes === undefined) return undefined
    // A kernel without swap does not have this file.
    return { residentBytes, swapBytes: parseAmount(textOf(join(folder, "memory.swap.current")) ?? "0") ?? 0 }
  },
  limit: (bytes) =>
    refusable(folder, async () => {
      // An out-of-memory kill of one process must not kill the others: the agent may go on without it.
      await writeFile(join(folder, "memory.oom.group"), "0", onlyWrite)
      await writeFile(join(folder, "memory.max"), bytes === undefined ? "max" : String(bytes), onlyWrite)
    })
})

/** Creates a group. */
export const makeWorkerGroup = (folder: string, path: string): Effect.Effect<WorkerGroup, GroupRefused> =>
  Effect.as(
    refusable(folder, () => mkdir(folder)),
    workerGroup(folder, path)
  )
