import { readlinkSync } from "node:fs"
import { homedir } from "node:os"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"

/** Whoever ran this command: what they have set, where they stand, and how to run the same program again. */
export class Caller extends Context.Tag("Caller")<
  Caller,
  {
    readonly environment: Readonly<Record<string, string | undefined>>
    /** Relative paths on the command line are meant from here. */
    readonly cwd: string
    readonly userHome: string
    /** The runtime, its own options, and the bundle: what stands before the command line. */
    readonly program: readonly [runtime: string, ...args: ReadonlyArray<string>]
  }
>() {}

/** Of a folder that was removed under the shell, the kernel tells `/the/path (deleted)`, and errors name that. */
const currentFolder = (): string => {
  try {
    return process.cwd()
  } catch {
    return readlinkSync("/proc/self/cwd")
  }
}

export const layer: Layer.Layer<Caller> = Layer.sync(Caller, () =>
  Caller.of({
    environment: process.env,
    cwd: currentFolder(),
    userHome: homedir(),
    program: [process.execPath, ...process.execArgv, ...process.argv.slice(1, 2)]
  })
)
