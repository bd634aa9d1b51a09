import * as fs from "node:fs/promises"
import { dirname, join, resolve } from "node:path"
import * as Effect from "effect/Effect"
import type { ProjectName } from "../../Domain/Project.ts"
import { askDisk } from "../files/PathQuestions.ts"

/** What is missing or unreadable holds no lock that could be told. */
const orNothing = <A>(read: Promise<A>): Promise<A | undefined> => read.catch(() => undefined)

const longestText = 4096

/** The line of a small file in which git names a folder. */
const lineIn = async (path: string): Promise<string | undefined> => {
  const found = await orNothing(fs.stat(path))
  if (found?.isFile() !== true || found.size > longestText) return undefined
  return (await orNothing(fs.readFile(path, "utf8")))?.trim()
}

/** The `.git` of the repository around a folder, or what its file says in a worktree or a submodule. */
const gitFolderAround = async (cwd: string): Promise<string | undefined> => {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const path = join(folder, ".git")
    if ((await orNothing(fs.stat(path)))?.isDirectory() === true) return path
    const named = /^gitdir: (.+)$/.exec((await lineIn(path)) ?? "")?.[1]
    if (named !== undefined) return resolve(folder, named)
    if (dirname(folder) === folder) return undefined
  }
}

const mostWorktrees = 256

/** Where git keeps the lock of an index: in the repository, in all of its worktrees, and where the environment says. */
const lockPaths = async (
  cwd: string,
  { GIT_DIR: given, GIT_INDEX_FILE: index }: Readonly<Record<string, string | undefined>>
): Promise<ReadonlyArray<string>> => {
  const own = given === undefined || given === "" ? await gitFolderAround(cwd) : resolve(cwd, given)
  const ofIndex = index === undefined || index === "" ? [] : [`${resolve(cwd, index)}.lock`]
  if (own === undefined) return ofIndex
  const common = resolve(own, (await lineIn(join(own, "commondir"))) ?? ".")
  const worktrees = (await orNothing(fs.readdir(join(common, "worktrees")))) ?? []
  const folders = [
    own,
    common,
    ...worktrees.slice(0, mostWorktrees).map((name) => join(common, "worktrees", name))
  ]
  return [...new Set([...folders.map((folder) => join(folder, "index.lock")), ...ofIndex])]
}

/** Whether a process has the file open, as far as /proc shows it to this user. */
const isOpen = async (path: string): Promise<boolean> => {
  const real = await orNothing(fs.realpath(path))
  const pids = (await fs.readdir("/proc")).filter((name) => /^\d+$/.test(name))
  for (const pid of pids) {
    for (const fd of (await orNothing(fs.readdir(`/proc/${pid}/fd`))) ?? []) {
      if ((await orNothing(fs.readlink(`/proc/${pid}/fd/${fd}`))) === real) return true
    }
  }
  return false
}

const isOlder = async (path: string, beforeMs: number): Promise<boolean> => {
  const found = await orNothing(fs.lstat(path))
  return found?.isFile() === true && found.mtimeMs < beforeMs
}

const staleLocks = async (cwd: string, env: NodeJS.ProcessEnv, beforeMs: number) => {
  const stale: Array<string> = []
  for (const path of await lockPaths(cwd, env)) {
    // Looked at again after the search, which takes its time.
    if ((await isOlder(path, beforeMs)) && !(await isOpen(path)) && (await isOlder(path, beforeMs)))
      stale.push(path)
  }
  return stale
}

/**
 * The locks of git's index that nobody seems to own: written before `beforeMs`, and open in no process. Git keeps the file
 * open while it writes; while a user edits a commit message it is closed, so the daemon tells the lock and never removes it.
 */
export const leftGitLocks = (
  project: ProjectName,
  cwd: string,
  env: NodeJS.ProcessEnv,
  beforeMs: number
): Effect.Effect<ReadonlyArray<string>> =>
  // A silent disk is told where the worker needs it. Not under the project's own name, which its start waits for.
  askDisk(
    `git locks of ${project}`,
    cwd,
    Effect.promise(() => staleLocks(cwd, env, beforeMs))
  ).pipe(Effect.catchTag("SilentDisk", () => Effect.succeed([])))
