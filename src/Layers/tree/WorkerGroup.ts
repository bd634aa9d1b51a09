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

/** The kernel has refused something about a cgroup. */
export class GroupRefused extends Data.TaggedError("GroupRefused")<{
  readonly folder: string
  readonly reason: string
}> {
  override get message() {
    return `${this.folder}: ${this.reason}`
  }
}

/** A cgroup (version 2) that the daemon has made for one worker. Making and removing wait in the thread pool. */
export interface WorkerGroup {
  readonly folder: string
  /** As `/proc/<pid>/cgroup` names it. */
  readonly path: string
  /** The file that a process writes `0` into to get in. */
  readonly entrance: string
  /** The pids in it and in the groups below it. Zombies are not. */
  readonly members: Effect.Effect<ReadonlySet<number>>
  /** Returns when nobody is left in it: the kernel tells. Where it cannot be heard this never returns. */
  readonly emptied: Effect.Effect<void>
  /**
   * SIGKILL to all in it and below, also to who is being forked at this moment. Nobody is killed where the kernel is
   * older than 5.14, or the group is gone.
   */
  readonly kill: Effect.Effect<void>
  /** Removes it with the groups below. One that is gone is fine. */
  readonly remove: Effect.Effect<void, GroupRefused>
  /** What it holds; undefined where memory is not accounted for it. */
  readonly memory: () => GroupMemory | undefined
  /** The kernel keeps it below this; undefined: without a limit. */
  readonly limit: (bytes: number | undefined) => Effect.Effect<void, GroupRefused>
}

/** The text of a small file of the kernel; undefined when it is not there, or not to be read at the moment. */
const textOf = (path: string): string | undefined => {
  try {
    return fs.readFileSync(path, "latin1")
  } catch (cause) {
    if (errorCode(cause) === undefined) throw cause
    return undefined
  }
}

/** The kernel makes a group's files, and nobody else can; and `cgroup.kill` cannot be read. */
const onlyWrite = { flag: fs.constants.O_WRONLY | fs.constants.O_TRUNC }

/** What is gone already needs no removal. */
const unlessMissing = async (act: () => Promise<unknown>): Promise<void> => {
  try {
    await act()
  } catch (cause) {
    if (errorCode(cause) !== "ENOENT") throw cause
  }
}

/** What the kernel may refuse about a group. */
export const refusable = <A>(folder: string, act: () => Promise<A>): Effect.Effect<A, GroupRefused> =>
  Effect.tryPromise({
    try: act,
    catch: (cause) => new GroupRefused({ folder, reason: messageOf(cause) })
  })

/** A group must not hold groups when it is removed, and only folders are removable in it. */
const removeTree = async (folder: string): Promise<void> => {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await unlessMissing(() => removeTree(join(folder, entry.name)))
  }
  await rmdir(folder)
}

/** The last process has ended, but the kernel may still be busy with it. */
const removalPatience = Schedule.spaced("20 millis").pipe(Schedule.upTo("500 millis"))

/** What is not known counts as somebody. */
const isAnybodyIn = (folder: string): boolean => {
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
      // It is gone, or no watches are left: whoever waits looks by itself too.
      if (!isAnybodyIn(folder)) resume(Effect.void)
      return undefined
    }
    const look = () => {
      if (isAnybodyIn(folder)) return
      watcher.close()
      resume(Effect.void)
    }
    watcher.on("change", look)
    watcher.on("error", look)
    // After the watch has begun: the last one may have gone before it.
    look()
    return Effect.sync(() => watcher.close())
  })

/** The group in this folder, which is there. */
export const workerGroup = (folder: string, path: string): WorkerGroup => ({
  folder,
  path,
  entrance: join(folder, "cgroup.procs"),
  members: cgroupMembers(folder),
  emptied: emptied(folder),
  // A kill that the kernel refuses is one that is done by tree, and what that leaves is told.
  kill: Effect.ignore(refusable(folder, () => writeFile(join(folder, "cgroup.kill"), "1", onlyWrite))),
  remove: refusable(folder, () => unlessMissing(() => removeTree(folder))).pipe(
    Effect.retry(removalPatience)
  ),
  memory: () => {
    const residentBytes = parseHeld(textOf(join(folder, "memory.stat")) ?? "")
    if (residentBytes === undefined) return undefined
    // A kernel without swap has no such file.
    return { residentBytes, swapBytes: parseAmount(textOf(join(folder, "memory.swap.current")) ?? "0") ?? 0 }
  },
  limit: (bytes) =>
    refusable(folder, async () => {
      // One process that is killed must not take the others along: the agent may go on without it.
      await writeFile(join(folder, "memory.oom.group"), "0", onlyWrite)
      await writeFile(join(folder, "memory.max"), bytes === undefined ? "max" : String(bytes), onlyWrite)
    })
})

/** Makes a group below another. */
export const makeWorkerGroup = (folder: string, path: string): Effect.Effect<WorkerGroup, GroupRefused> =>
  Effect.as(
    refusable(folder, () => mkdir(folder)),
    workerGroup(folder, path)
  )
