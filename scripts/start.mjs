// `npm start` supervises the demo agent; `npm start -- --workdir DIR --project NAME -- CMD ARGS` supervises the user's,
// with any option of `autopilotd start`.
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { constants, homedir } from "node:os"
import { dirname, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const launcher = join(root, "bin/autopilotd")
const examples = join(root, "examples")

// npm changes to the package's folder. A relative path starts from the user's folder, which npm keeps in INIT_CWD.
const cwd = process.env["INIT_CWD"] || process.cwd()
const given = process.argv.slice(2)
const isDemo = given.length === 0

/** The shortest form of a path that the user can type. */
const typed = (path) => {
  const short = relative(cwd, path)
  return short.startsWith("..") ? path : short
}

const tilde = (path) => (path.startsWith(`${homedir()}/`) ? `~${path.slice(homedir().length)}` : path)

const introduction = () => {
  const configured = process.env["AUTOPILOT_HOME"]
  const home = configured ? resolve(cwd, configured) : join(homedir(), ".autopilot")
  const autopilotd = typed(launcher)
  return `
This is a demo: autopilotd supervises a small program that behaves like an AI agent. It prints its turns below
and crashes every 12 to 20 seconds; autopilotd restarts it after 1 second.

In another terminal, ${autopilotd === launcher ? "" : "in this folder, "}try:
  ${autopilotd} status           shows what the worker does, and why
  ${autopilotd} stop-worker      stops it; then start-worker
  ${autopilotd} --help           lists all commands
Logs: ${tilde(join(home, "logs"))} (autopilotd.log, demo/worker.log)
Stop: Ctrl-C here, or ${autopilotd} stop there
Your own agent: npm start -- --workdir DIR --project NAME -- CMD ARGS

`
}

if (isDemo) process.stderr.write(introduction())
const demo = ["--config", join(examples, "demo.toml"), "--workdir", examples]
const daemon = spawn(launcher, ["start", ...(isDemo ? demo : given)], { cwd, stdio: "inherit" })

/** True when the terminal sends Ctrl-C to this process, and so to the daemon. Compares fields 5 and 8 of stat. */
const isInForeground = () => {
  const stat = readFileSync("/proc/self/stat", "latin1")
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return fields[2] === fields[5]
}

// npm forwards each signal. After Ctrl-C that would be the daemon's second signal, which cuts the grace period short.
process.on("SIGINT", () => {
  if (!isInForeground()) daemon.kill("SIGINT")
})
process.on("SIGTERM", () => daemon.kill("SIGTERM"))
daemon.on("error", (cause) => {
  process.stderr.write(`${launcher} cannot be run: ${cause.message}\n`)
  process.exit(1)
})
daemon.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal ?? "SIGKILL"] ?? 0)))
