import { readlinkSync } from "node:fs"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { userHome } from "./HomeFolder.ts"
import { NoUserHome } from "./UserHome.ts"

/** The environment of this command, and the command line that runs the same program again. */
export class Caller extends Context.Tag("Caller")<
  Caller,
  {
    readonly environment: Readonly<Record<string, string | undefined>>
    /** Relative paths of the command line start here. */
    readonly cwd: string
    /** Undefined where there is none with an absolute path. */
    readonly userHome: string | undefined
    /** The runtime, its options, and the bundle. */
    readonly program: readonly [runtime: string, ...args: ReadonlyArray<string>]
  }
>() {}

/** The user's home, for code that needs one. */
export const homeOfCaller: Effect.Effect<string, NoUserHome, Caller> = Effect.flatMap(
  Caller,
  ({ environment, userHome }) =>
    userHome === undefined ? new NoUserHome({ configured: environment["HOME"] }) : Effect.succeed(userHome)
)

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
    userHome: userHome(),
    program: [process.execPath, ...process.execArgv, ...process.argv.slice(1, 2)]
  })
)
