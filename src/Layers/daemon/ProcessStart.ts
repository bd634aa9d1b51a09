import * as fs from "node:fs/promises"

/** How a process was started. */
export interface ProcessStart {
  readonly argv: ReadonlyArray<string>
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly cwd: string
}

const words = (bytes: Buffer): ReadonlyArray<string> => bytes.toString("utf8").split("\0").slice(0, -1)

/** How a process of this user was started; undefined where /proc does not show it. */
export const processStart = async (pid: number): Promise<ProcessStart | undefined> => {
  const folder = `/proc/${pid}`
  try {
    const [argv, environ, cwd] = await Promise.all([
      fs.readFile(`${folder}/cmdline`),
      fs.readFile(`${folder}/environ`),
      fs.readlink(`${folder}/cwd`)
    ])
    const entries = words(environ).map((entry) => {
      const at = entry.indexOf("=")
      return [entry.slice(0, at), entry.slice(at + 1)] as const
    })
    return { argv: words(argv), environment: Object.fromEntries(entries), cwd }
  } catch {
    return undefined
  }
}
