// `npm start`: supervises the demo agent. `npm start -- --workdir DIR --project NAME -- CMD ARGS`: supervises yours,
// with any option of `autopilotd start`.
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { constants, homedir } from "node:os"
import { dirname, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const launcher = join(root, "bin/autopilotd")
const examples = join(root, "examples")

// npm goes to the package's folder; whoever types a relative path means it from where they stand.
const cwd = process.env["INIT_CWD"] || process.cwd()
const given = process.argv.slice(2)
const isDemo = given.length === 0

/** A path as it is shortest to type from where the person stands. */
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
This is a demo: autopilotd supervises a small stand-in for an AI agent. The agent takes turns and crashes
every 12 to 20 seconds, with a new one a second later. What it prints is shown below.

In another terminal, ${autopilotd === launcher ? "" : "in this folder, "}try:
  ${autopilotd} status           what the worker does, and why
  ${autopilotd} stop-worker      then start-worker, or restart-worker
  ${autopilotd} --help           all commands
Logs: ${tilde(join(home, "logs"))} (autopilotd.log, demo/worker.log)
End:  Ctrl-C here, or ${autopilotd} stop there
Your own agent: npm start -- --workdir DIR --project NAME -- CMD ARGS

`
}

if (isDemo) process.stderr.write(introduction())
const demo = ["--config", join(examples, "demo.toml"), "--workdir", examples]
const daemon = spawn(launcher, ["start", ...(isDemo ? demo : given)], { cwd, stdio: "inherit" })

/** Ctrl-C reaches everything in the terminal's foreground, the daemon too. Fields 5 and 8 of stat. */
const isInForeground = () => {
  const stat = readFileSync("/proc/self/stat", "latin1")
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return fields[2] === fields[5]
}

// npm sends on what it gets. After Ctrl-C that would be the daemon's second signal, which means "hurry".
process.on("SIGINT", () => {
  if (!isInForeground()) daemon.kill("SIGINT")
})
process.on("SIGTERM", () => daemon.kill("SIGTERM"))
daemon.on("error", (cause) => {
  process.stderr.write(`${launcher} cannot be run: ${cause.message}\n`)
  process.exit(1)
})
daemon.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal ?? "SIGKILL"] ?? 0)))
