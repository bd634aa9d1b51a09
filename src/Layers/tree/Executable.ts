import * as fs from "node:fs/promises"
import { delimiter, isAbsolute, join, resolve } from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { printable } from "../../Domain/text/Printable.ts"

/** The worker cannot be started, and nothing of it has run. The usual backoff applies. */
export class CannotStart extends Data.TaggedError("CannotStart")<{ readonly reason: string }> {
  override get message() {
    return this.reason
  }
}

const isFile = (path: string) => fs.stat(path).then((stat) => stat.isFile())
const isFolder = (path: string) =>
  fs.stat(path).then(
    (stat) => stat.isDirectory(),
    () => false
  )
const mayExecute = (path: string) =>
  fs.access(path, fs.constants.X_OK).then(
    () => true,
    () => false
  )

/** The paths at which the kernel, or a shell, would look for `command`. */
const candidates = (command: string, cwd: string, searchPath: string): ReadonlyArray<string> =>
  command.includes("/")
    ? [isAbsolute(command) ? command : resolve(cwd, command)]
    : searchPath.split(delimiter).map((folder) => join(resolve(cwd, folder === "" ? "." : folder), command))

/** The interpreter in the first line of a script, with a carriage return if there is one; undefined for a binary. */
const interpreterOf = async (path: string): Promise<string | undefined> => {
  const file = await fs.open(path, "r")
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0)
    return /^#![ \t]*([^ \t\n]+)/.exec(buffer.subarray(0, bytesRead).toString("latin1"))?.at(1)
  } finally {
    await file.close()
  }
}

/**
 * Checks the working directory, the program on the worker's own PATH, its permission, and the interpreter of a script. A
 * spawn would only report exit code 126 or 127, or an ENOENT that may be about the folder.
 */
export const checkExecutable = (
  command: string,
  cwd: string,
  searchPath: string
): Effect.Effect<void, CannotStart> => {
  const check = async (): Promise<string | undefined> => {
    const folder = await fs.stat(cwd).catch(() => undefined)
    if (folder === undefined) return `the working directory ${cwd} does not exist`
    if (!folder.isDirectory()) return `the working directory ${cwd} is not a folder`
    if (!(await mayExecute(cwd))) return `the working directory ${cwd} may not be entered`
    let refused: string | undefined
    for (const path of candidates(command, cwd, searchPath)) {
      if (!(await isFile(path).catch(() => false))) continue
      if (!(await mayExecute(path))) {
        refused ??= `${path} is not executable (chmod +x ${path})`
        continue
      }
      // A binary may be executable but unreadable, so a failed read proves nothing.
      const interpreter = await interpreterOf(path).catch(() => undefined)
      if (interpreter === undefined || (await isFile(interpreter).catch(() => false))) return undefined
      return interpreter.endsWith("\r")
        ? `${path} has Windows line endings, which the system takes for a part of the interpreter's name (sed -i 's/\\r$//' ${path})`
        : `${path} names the interpreter ${printable(interpreter)}, which does not exist`
    }
    return (
      refused ??
      (command.includes("/")
        ? (await isFolder(resolve(cwd, command)))
          ? `${command} is a folder, not a program`
          : `${command} does not exist${isAbsolute(command) ? "" : ` in ${cwd}`}`
        : `there is no program "${command}" on the worker's PATH (${searchPath})`)
    )
  }
  return Effect.tryPromise({ try: check, catch: (cause) => new CannotStart({ reason: String(cause) }) }).pipe(
    Effect.flatMap((reason) => (reason === undefined ? Effect.void : new CannotStart({ reason })))
  )
}
