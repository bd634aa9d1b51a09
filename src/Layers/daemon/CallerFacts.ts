import { readlinkSync } from "node:fs"
import { userHome } from "./HomeFolder.ts"

/** The environment of a command, and the command line that runs the same program again. */
export interface CallerFacts {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Relative paths of the command line start here. */
  readonly cwd: string
  /** Undefined where there is none with an absolute path. */
  readonly userHome: string | undefined
  /** The runtime, its options, and the bundle. */
  readonly program: readonly [runtime: string, ...args: ReadonlyArray<string>]
}

/** For a removed folder the kernel returns `/the/path (deleted)`, which errors then name. */
const currentFolder = (): string => {
  try {
    return process.cwd()
  } catch {
    return readlinkSync("/proc/self/cwd")
  }
}

/** The facts of this process. */
export const callerFacts = (): CallerFacts => ({
  environment: process.env,
  cwd: currentFolder(),
  userHome: userHome(),
  program: [process.execPath, ...process.execArgv, ...process.argv.slice(1, 2)]
})
