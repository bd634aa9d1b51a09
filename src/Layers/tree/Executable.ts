import * as fs from "node:fs/promises"
import { delimiter, isAbsolute, join, resolve } from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { SilentDisk } from "../files/DiskTurns.ts"
import { type FileStamps, fileStamps } from "../files/FileStamps.ts"
import { askDisk } from "../files/PathQuestions.ts"
import { isFile, mayExecute, whyRefused } from "./ProgramInspection.ts"

/** The worker cannot be started, and nothing of it has run. The usual backoff applies. */
export class CannotStart extends Data.TaggedError("CannotStart")<{
  readonly reason: string
  /** What is not there at all: the working directory, or a program on the PATH. */
  readonly missing?: "folder" | "program"
}> {
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

/** The stamps of files before a start, which a silent disk refuses. */
export const unlessSilent = (
  stamps: Effect.Effect<FileStamps, SilentDisk>
): Effect.Effect<FileStamps, CannotStart> =>
  Effect.mapError(stamps, ({ message }) => new CannotStart({ reason: message }))

/** What the last success of an asker relies on: its question, and the stamps of the working directory and the files. */
interface Accepted {
  readonly question: string
  readonly stamps: FileStamps
}

const accepted = new Map<string, Accepted>()

/** The paths on which the last success of an asker relies. */
export const reliedOn = (asker: string): ReadonlyArray<string> => [
  ...(accepted.get(asker)?.stamps.keys() ?? [])
]

/**
 * Checks the working directory, the program on the worker's own PATH, its permission, and whether the kernel would run
 * it. A spawn would only report exit code 126 or 127, or an ENOENT that may be about the folder or a loader; and a shell
 * runs an empty file with success. `asker` names the subject that asks. It is not checked again while `stamps`, taken just
 * now, has what its last success relies on unchanged.
 */
export const checkExecutable = (
  command: string,
  cwd: string,
  searchPath: string,
  asker: string,
  stamps: FileStamps = new Map()
): Effect.Effect<void, CannotStart> => {
  const relied = new Set<string>()
  const reliesOn = (path: string) => void relied.add(path)
  const checkFolder = async (): Promise<CannotStart | string | undefined> => {
    const folder = await fs.stat(cwd).catch(() => undefined)
    if (folder === undefined)
      return new CannotStart({ reason: `the working directory ${cwd} does not exist`, missing: "folder" })
    if (!folder.isDirectory()) return `the working directory ${cwd} is not a folder`
    if (!(await mayExecute(cwd))) return `the working directory ${cwd} may not be entered`
    return undefined
  }
  const checkProgram = async (): Promise<CannotStart | string | undefined> => {
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
        : new CannotStart({
            reason: `there is no program "${command}" on the worker's PATH`,
            missing: "program"
          }))
    )
  }
  const passes = (path: string, check: () => Promise<CannotStart | string | undefined>) =>
    askDisk(
      asker,
      path,
      Effect.tryPromise({ try: check, catch: (cause) => new CannotStart({ reason: String(cause) }) })
    ).pipe(
      Effect.flatMap((found) =>
        found === undefined
          ? Effect.void
          : typeof found === "string"
            ? new CannotStart({ reason: found })
            : found
      ),
      Effect.catchTag("SilentDisk", ({ message }) => new CannotStart({ reason: message }))
    )
  const program = command.includes("/")
    ? resolve(cwd, command)
    : `${command}, or of a folder on the worker's PATH,`
  const question = [cwd, command, searchPath].join("\n")
  return Effect.gen(function* () {
    const before = accepted.get(asker)
    if (before?.question === question) {
      if ([...before.stamps].every(([path, stamp]) => stamps.get(path) === stamp)) return
    }
    accepted.delete(asker)
    yield* passes(cwd, checkFolder)
    yield* passes(program, checkProgram)
    const found = yield* unlessSilent(fileStamps(asker, [cwd, ...relied]))
    accepted.set(asker, { question, stamps: found })
  })
}
