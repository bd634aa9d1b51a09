import { execFile } from "node:child_process"
import * as fs from "node:fs"
import { homedir } from "node:os"
import { dirname, join } from "node:path"

/** npm tells the scripts it runs much about itself, and would take it for what another npm was told. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) && name !== "INIT_CWD")
)

/** Runs npm in a folder; what it has said. */
export const npm = (args: ReadonlyArray<string>, cwd: string): Promise<string> =>
  new Promise((done, failed) => {
    const options = { cwd, env: environment, timeout: 240_000, killSignal: "SIGKILL" } as const
    execFile(
      "npm",
      [...args, "--no-fund", "--no-audit", "--loglevel=error"],
      options,
      (error, stdout, stderr) =>
        error === null ? done(stdout) : failed(new Error(`npm ${args[0]}: ${stderr || error.message}`))
    )
  })

/** `node` of a major version, from the registry; installed once per machine, complete or not at all. */
export const nodeFolder = async (major: number): Promise<string> => {
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache")
  const installed = join(cache, "autopilotd-tests", `node-${major}`)
  const name = `node-linux-${process.arch}`
  const programs = join(installed, "node_modules", name, "bin")
  if (fs.existsSync(programs)) return programs
  fs.mkdirSync(dirname(installed), { recursive: true })
  const unfinished = fs.mkdtempSync(`${installed}-unfinished-`)
  try {
    // The package `node` only fetches this one in an install script, which npm no longer runs.
    await npm(["install", "--ignore-scripts", "--prefix", unfinished, `${name}@${major}`], unfinished)
    fs.renameSync(unfinished, installed)
  } catch (cause) {
    // Somebody else may have been faster: theirs is as good.
    if (!fs.existsSync(programs)) throw cause
  } finally {
    fs.rmSync(unfinished, { recursive: true, force: true })
  }
  return programs
}
