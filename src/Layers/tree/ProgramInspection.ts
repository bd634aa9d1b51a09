import * as fs from "node:fs/promises"
import { join } from "node:path"
import { humanBytes } from "../../Domain/text/Amounts.ts"
import { printable } from "../../Domain/text/Printable.ts"
import {
  type ElfFile,
  foreignMachine,
  headerBytes,
  loaderName,
  programFile,
  segmentsOf
} from "../../Domain/tree/ProgramFile.ts"

export const isFile = (path: string): Promise<boolean> =>
  fs.stat(path).then(
    (stat) => stat.isFile(),
    () => false
  )

export const mayExecute = (path: string): Promise<boolean> =>
  fs.access(path, fs.constants.X_OK).then(
    () => true,
    () => false
  )

const handlers = "/proc/sys/fs/binfmt_misc"

/**
 * Whether the kernel has no emulator for programs of other processors. Undefined where that is not known: containers do
 * not show the handlers of their machine.
 */
const lacksEmulator = async (): Promise<boolean | undefined> => {
  const names = await fs.readdir(handlers).catch(() => undefined)
  if (names === undefined) return true
  if (!names.includes("status")) return undefined
  const texts = await Promise.all(
    names.map((name) => fs.readFile(join(handlers, name), "latin1").catch(() => ""))
  )
  return !texts.some((text) => text.startsWith("enabled\n") && text.includes("magic 7f454c46"))
}

const incomplete = (path: string, how = ""): string =>
  `${path} is ${how === "" ? "incomplete" : how}: an installation or an update of it did not finish. Install the program again`

/** The bytes of the file from `offset` on; fewer at its end. */
const bytesAt = async (file: fs.FileHandle, offset: number, length: number): Promise<Uint8Array> => {
  const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, offset)
  return buffer.subarray(0, bytesRead)
}

const maxTableBytes = 64 * 1024
const maxNameBytes = 4096

const whyElfRefused = async (
  path: string,
  file: fs.FileHandle,
  elf: ElfFile,
  size: number,
  reliesOn: (path: string) => void
): Promise<string | undefined> => {
  const machine = foreignMachine(elf, process.arch)
  // A foreign program that could not run here anyway is foreign first of all.
  const because = (reason: string): string =>
    machine === undefined
      ? reason
      : `${path} is a program for another processor (${machine}; this machine is ${process.arch}). Install the one for ${process.arch}`
  const { length, offset } = elf.tableAt
  if (length === 0 || length > maxTableBytes || offset + length > size) return because(incomplete(path))
  const segments = segmentsOf(elf, await bytesAt(file, offset, length))
  if (segments === undefined) return because(incomplete(path))
  const { endsAt, loaderAt } = segments
  if (endsAt > size)
    return because(incomplete(path, `cut off after ${humanBytes(size)} of ${humanBytes(endsAt)}`))
  if (loaderAt !== undefined && loaderAt.length <= maxNameBytes) {
    const loader = loaderName(await bytesAt(file, loaderAt.offset, loaderAt.length))
    reliesOn(loader)
    if (!(await isFile(loader)))
      return because(
        `${path} needs the loader ${printable(loader)}, which does not exist: the program is for another C library. Install the one for this system (musl on Alpine, glibc elsewhere)`
      )
  }
  return machine !== undefined && (await lacksEmulator()) === true ? because("") : undefined
}

/** The kernel follows the interpreters of scripts four times. */
const maxInterpreters = 4

/**
 * Returns why the kernel would refuse a program, as a clause, although its file is executable. `lookUp` finds a program
 * on the PATH, for scripts that begin with `#!/usr/bin/env NAME`. A file that is executable but unreadable is not judged.
 * `reliesOn` hears of each file that the answer depends on.
 */
export const whyRefused = async (
  path: string,
  lookUp: (name: string) => Promise<boolean>,
  reliesOn: (path: string) => void,
  depth = 0
): Promise<string | undefined> => {
  reliesOn(path)
  const file = await fs.open(path, "r").catch(() => undefined)
  if (file === undefined) return undefined
  try {
    const kind = programFile(await bytesAt(file, 0, headerBytes))
    switch (kind._tag) {
      case "Empty":
        return incomplete(path, "empty (0 bytes)")
      case "Cut":
        return incomplete(path)
      case "Elf":
        return await whyElfRefused(path, file, kind, (await file.stat()).size, reliesOn)
      case "Other":
        return undefined
      case "Script": {
        const { argument, interpreter } = kind
        if (`${interpreter}${argument ?? ""}`.endsWith("\r")) {
          return `${path} has Windows line endings, which the system takes for a part of the interpreter's name (sed -i 's/\\r$//' ${path})`
        }
        const names = `${path} names the interpreter ${printable(interpreter)}, which`
        if (!(await isFile(interpreter))) return `${names} does not exist`
        if (!(await mayExecute(interpreter))) return `${names} is not executable (chmod +x ${interpreter})`
        reliesOn(interpreter)
        if (interpreter.endsWith("/env") && argument !== undefined && /^[\w.+-]+$/.test(argument)) {
          return argument.startsWith("-") || (await lookUp(argument))
            ? undefined
            : `${path} needs ${argument}, which is not on the worker's PATH`
        }
        const why =
          depth < maxInterpreters ? await whyRefused(interpreter, lookUp, reliesOn, depth + 1) : undefined
        return why === undefined ? undefined : `${names} cannot run: ${why}`
      }
    }
  } finally {
    await file.close()
  }
}
