import { readlinkSync } from "node:fs"
import { homedir } from "node:os"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"

/** The environment of this command, and the command line that runs the same program again. */
export class Caller extends Context.Tag("Caller")<
  Caller,
  {
    readonly environment: Readonly<Record<string, string | undefined>>
    /** Relative paths of the command line start here. */
    readonly cwd: string
    readonly userHome: string
    /** The runtime, its options, and the bundle. */
    readonly program: readonly [runtime: string, ...args: ReadonlyArray<string>]
  }
>() {}

/** For a removed folder the kernel returns `/the/path (deleted)`, which errors then name. */
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
