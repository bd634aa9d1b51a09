import { execFile } from "node:child_process"
import * as fs from "node:fs"
import { homedir } from "node:os"
import { dirname, join } from "node:path"

/** npm hands its own settings to the scripts it runs, as variables that another npm would take for its settings. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) && name !== "INIT_CWD")
)

/** Runs npm in a folder and returns its standard output. Rejects with its standard error. */
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

/** Returns the folder of `node` of a major version. Installs it from the registry, once per machine. */
export const nodeFolder = async (major: number): Promise<string> => {
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache")
  const installed = join(cache, "autopilotd-tests", `node-${major}`)
  const name = `node-linux-${process.arch}`
  const programs = join(installed, "node_modules", name, "bin")
  if (fs.existsSync(programs)) return programs
  fs.mkdirSync(dirname(installed), { recursive: true })
  const unfinished = fs.mkdtempSync(`${installed}-unfinished-`)
  try {
    // The package `node` only fetches this one, in an install script, and newer versions of npm run none.
    await npm(["install", "--ignore-scripts", "--prefix", unfinished, `${name}@${major}`], unfinished)
    fs.renameSync(unfinished, installed)
  } catch (cause) {
    // Another test run may have installed it meanwhile.
    if (!fs.existsSync(programs)) throw cause
  } finally {
    fs.rmSync(unfinished, { recursive: true, force: true })
  }
  return programs
}
