import * as fs from "node:fs/promises"
import { delimiter, isAbsolute, join, resolve } from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { askDisk } from "../files/PathQuestions.ts"
import { isFile, mayExecute, whyRefused } from "./ProgramInspection.ts"

/** The worker cannot be started, and nothing of it has run. The usual backoff applies. */
export class CannotStart extends Data.TaggedError("CannotStart")<{ readonly reason: string }> {
  override get message() {
    return this.reason
  }
}

const isFolder = (path: string) =>
  fs.stat(path).then(
    (stat) => stat.isDirectory(),
    () => false
  )
/** The paths at which the kernel, or a shell, would look for `command`. */
const candidates = (command: string, cwd: string, searchPath: string): ReadonlyArray<string> =>
  command.includes("/")
    ? [isAbsolute(command) ? command : resolve(cwd, command)]
    : searchPath.split(delimiter).map((folder) => join(resolve(cwd, folder === "" ? "." : folder), command))

/** The path of a program on a PATH; undefined where it is not there, or its name is a path already. */
export const programOn = (
  searchPath: string,
  command: string,
  cwd: string
): Effect.Effect<string | undefined> =>
  Effect.promise(async () => {
    if (command.includes("/")) return undefined
    for (const path of candidates(command, cwd, searchPath)) {
      if ((await isFile(path)) && (await mayExecute(path))) return path
    }
    return undefined
  })

/** The properties that tell one version of a file from the next. A folder changes whenever a file in it is made. */
const stampOf = async (path: string): Promise<string> => {
  const found = await fs.stat(path).catch(() => undefined)
  if (found === undefined) return "absent"
  const { ctimeMs, dev, gid, ino, mode, size, uid } = found
  return [dev, ino, mode, uid, gid, ...(found.isDirectory() ? [] : [size, ctimeMs])].join()
}

/** The working directory and the files on which the last success of an asker relies, by their stamps. */
interface Accepted {
  readonly question: string
  readonly folder: string
  readonly files: ReadonlyMap<string, string>
}

const accepted = new Map<string, Accepted>()

const areUnchanged = async (files: ReadonlyMap<string, string>): Promise<boolean> => {
  for (const [path, stamp] of files) if ((await stampOf(path)) !== stamp) return false
  return true
}

/**
 * Checks the working directory, the program on the worker's own PATH, its permission, and whether the kernel would run
 * it. A spawn would only report exit code 126 or 127, or an ENOENT that may be about the folder or a loader; and a shell
 * runs an empty file with success. `asker` names the subject that asks. While the files of its last success have not
 * changed, it is not checked again.
 */
export const checkExecutable = (
  command: string,
  cwd: string,
  searchPath: string,
  asker: string
): Effect.Effect<void, CannotStart> => {
  const relied = new Set<string>()
  const reliesOn = (path: string) => void relied.add(path)
  const checkFolder = async (): Promise<string | undefined> => {
    const folder = await fs.stat(cwd).catch(() => undefined)
    if (folder === undefined) return `the working directory ${cwd} does not exist`
    if (!folder.isDirectory()) return `the working directory ${cwd} is not a folder`
    if (!(await mayExecute(cwd))) return `the working directory ${cwd} may not be entered`
    return undefined
  }
  const checkProgram = async (): Promise<string | undefined> => {
    let refused: string | undefined
    const isOnPath = async (name: string): Promise<boolean> => {
      for (const path of candidates(name, cwd, searchPath)) {
        if (!(await isFile(path)) || !(await mayExecute(path))) continue
        reliesOn(path)
        return true
      }
      return false
    }
    for (const path of candidates(command, cwd, searchPath)) {
      if (!(await isFile(path))) continue
      if (!(await mayExecute(path))) {
        refused ??= `${path} is not executable (chmod +x ${path})`
        continue
      }
      return await whyRefused(path, isOnPath, reliesOn)
    }
    return (
      refused ??
      (command.includes("/")
        ? (await isFolder(resolve(cwd, command)))
          ? `${command} is a folder, not a program`
          : `${command} does not exist${isAbsolute(command) ? "" : ` in ${cwd}`}`
        : `there is no program "${command}" on the worker's PATH`)
    )
  }
  const ask = <A>(path: string, question: () => Promise<A>) =>
    askDisk(
      asker,
      path,
      Effect.tryPromise({ try: question, catch: (cause) => new CannotStart({ reason: String(cause) }) })
    ).pipe(Effect.catchTag("SilentDisk", ({ message }) => new CannotStart({ reason: message })))
  const passes = (path: string, check: () => Promise<string | undefined>) =>
    Effect.flatMap(ask(path, check), (reason) =>
      reason === undefined ? Effect.void : new CannotStart({ reason })
    )
  const program = command.includes("/")
    ? resolve(cwd, command)
    : `${command}, or of a folder on the worker's PATH,`
  const question = [cwd, command, searchPath].join("\n")
  return Effect.gen(function* () {
    const before = accepted.get(asker)
    if (before?.question === question) {
      const isSameFolder = (yield* ask(cwd, () => stampOf(cwd))) === before.folder
      if (isSameFolder && (yield* ask(program, () => areUnchanged(before.files)))) return
    }
    accepted.delete(asker)
    yield* passes(cwd, checkFolder)
    yield* passes(program, async () => {
      const reason = await checkProgram()
      const files = new Map<string, string>()
      for (const path of relied) files.set(path, await stampOf(path))
      if (reason === undefined) accepted.set(asker, { question, folder: await stampOf(cwd), files })
      return reason
    })
  })
}
