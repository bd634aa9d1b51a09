// What the random faults act on: a home on a small disk, its daemon, two workers, and bystanders that belong to nobody.
import { spawn, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { createConnection } from "node:net"
import { availableParallelism, loadavg } from "node:os"
import { join, resolve } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"

const launcher = resolve(import.meta.dirname, "../../bin/autopilotd")
const agent = join(import.meta.dirname, "wanders.sh")

/** `plain` runs without an environment: its leader has no mark. */
export const projects = ["marked", "plain"]

/** The fields of /proc/PID/stat that matter; undefined when there is no such process, or only a dead one. */
const statOf = (pid) => {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, "latin1")
    const end = text.lastIndexOf(")")
    const fields = text.slice(end + 2).split(" ")
    const [state, threads] = [fields[0], Number(fields[17])]
    if (state === "X" || (state === "Z" && threads < 2)) return undefined
    return { pid, state, session: Number(fields[3]), startTicks: Number(fields[19]) }
  } catch {
    return undefined
  }
}

const contentOf = (pid, file) => {
  try {
    return fs.readFileSync(`/proc/${pid}/${file}`, "latin1").split("\0")
  } catch {
    return []
  }
}

/** All living processes of this PID namespace. */
const processes = () =>
  fs
    .readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name))
    .map((name) => statOf(Number(name)))
    .filter((found) => found !== undefined)
    .map((found) => ({ ...found, argv: contentOf(found.pid, "cmdline").slice(0, -1) }))

/** How many programs wait for each core; at least 1. */
const slowness = () => Math.min(20, Math.max(1, loadavg()[0] / availableParallelism()))

/** A line for the reader of the run. */
export const print = (text) => void process.stdout.write(`${text}\n`)

export const isSame = ({ pid, startTicks }) => statOf(pid)?.startTicks === startTicks

/** Makes the world below `root`, an empty folder. */
export const makeWorld = (root, random) => {
  const [disk, ledger] = [join(root, "disk"), join(root, "ledger")]
  for (const folder of [disk, ledger]) fs.mkdirSync(folder)
  for (const [folder, size] of [
    [disk, "24m"],
    [ledger, "64m"]
  ]) {
    const { status, stderr } = spawnSync("mount", [
      "-t",
      "tmpfs",
      "-o",
      `size=${size},mode=700`,
      "none",
      folder
    ])
    if (status !== 0) throw new Error(`no small disk: ${stderr}`)
  }
  const home = join(disk, "home")
  fs.mkdirSync(home, { mode: 0o700 })
  fs.mkdirSync(join(root, "work"))
  const settingsFile = join(home, "daemon.toml")
  const settings = (graceMs = 300) =>
    `[restart]
policy = "always"
initial_backoff_ms = 20
max_backoff_ms = 200
max_consecutive_restarts = 1000000
stop_grace_ms = ${graceMs}
[projects.marked]
worker_command = { type = "Command", argv = ["${agent}", "marked", "${ledger}"] }
[projects.plain]
worker_command = { type = "Command", argv = ["env", "-i", "PATH=${process.env["PATH"]}", "/bin/sh", "${agent}", "plain", "${ledger}", "plain"] }
`
  const env = { ...process.env, AUTOPILOT_HOME: home, HOME: root, NO_COLOR: "1" }
  const problems = []
  const world = {
    random,
    root,
    home,
    ledger,
    settings,
    settingsFile,
    /** Sentences about promises that did not hold. */
    problems,
    /** The foreground starts that are alive. */
    starts: new Set(),
    /** Pids of daemons that a fault has killed. */
    killed: new Set(),
    bystanders: [],
    report: (sentence) => {
      if (problems.includes(sentence)) return
      problems.push(sentence)
      print(`PROBLEM ${sentence}`)
    },
    processes,
    /** The leaders of workers, by what runs: `env` execs the shell. */
    leaders: () =>
      processes().flatMap((found) => {
        const at = found.argv.indexOf(agent)
        return at >= 0 && found.session === found.pid ? [{ ...found, project: found.argv[at + 1] }] : []
      }),
    daemons: () =>
      processes().filter(
        ({ argv }) => argv.some((word) => word.endsWith("dist/autopilotd.js")) && argv.includes("start")
      ),
    markOf: (pid) =>
      contentOf(pid, "environ")
        .find((entry) => entry.startsWith("AUTOPILOT_WORKER_ID="))
        ?.slice(20),
    /** Starts a daemon in the foreground. Its end is judged when it comes. */
    start: (...args) => {
      const child = spawn(launcher, ["start", ...args], {
        cwd: join(root, "work"),
        env,
        stdio: ["ignore", "ignore", "pipe"]
      })
      let said = ""
      child.stderr.on("data", (chunk) => (said = `${said}${chunk}`.slice(-20_000)))
      world.starts.add(child)
      child.once("close", (code, signal) => {
        world.starts.delete(child)
        if (signal === "SIGKILL" && world.killed.has(child.pid)) return
        if (code === 0 || (signal === "SIGTERM" && said === "")) return
        if (
          code === 143 ||
          /is already running|cannot be used|lost|another daemon has taken this home|There is no worker|No space|disk is full|no more files can be opened|must be|not valid/.test(
            said
          )
        )
          return
        world.report(`a daemon ended with ${code ?? signal}: ${said.slice(-1500)}`)
      })
      return child
    },
    /** Runs a command to its end. */
    command: async (...args) => {
      const child = spawn(launcher, args, { cwd: join(root, "work"), env, stdio: ["ignore", "pipe", "pipe"] })
      let [stdout, stderr] = ["", ""]
      child.stdout.on("data", (chunk) => (stdout += chunk))
      child.stderr.on("data", (chunk) => (stderr += chunk))
      const begunMs = Date.now()
      const isSlow = setInterval(() => {
        if (Date.now() - begunMs < slowness() * 120_000) return
        world.report(`\`${args.join(" ")}\` hangs: ${stdout}${stderr}`)
        child.kill("SIGKILL")
      }, 1000)
      const code = await new Promise((done) => child.once("close", done))
      clearInterval(isSlow)
      if (/bug in autopilotd|\n {4}at /.test(stderr))
        world.report(`\`${args.join(" ")}\` said: ${stderr.slice(0, 1500)}`)
      return { code, stdout, stderr }
    },
    /** One request on the control socket; undefined when nobody answers. */
    ask: (request, limitMs = slowness() * 10_000) =>
      new Promise((done) => {
        const socket = createConnection(join(home, "autopilotd.sock"))
        let text = ""
        socket.setTimeout(limitMs, () => socket.destroy(new Error("no answer")))
        socket.on("error", () => done(undefined))
        socket.on("connect", () =>
          socket.end(typeof request === "string" ? request : JSON.stringify(request))
        )
        socket.on("data", (chunk) => (text += chunk))
        socket.on("close", () => {
          try {
            done(JSON.parse(text))
          } catch {
            done(undefined)
          }
        })
      }),
    fifo: (path) => spawnSync("mkfifo", [path]),
    until: async (what, isSo) => {
      // The limit only ends what hangs: on a busy machine everything takes as much longer as programs wait for a core.
      const begunMs = Date.now()
      do {
        const found = await isSo()
        if (found) return found
        await sleep(50)
      } while (Date.now() - begunMs < slowness() * 90_000)
      world.report(`never came about: ${what}`)
      return undefined
    }
  }
  fs.writeFileSync(settingsFile, settings(), { mode: 0o600 })
  for (const more of [{}, { AUTOPILOT_WORKER_ID: "0123456789abcdef:marked:1" }]) {
    const child = spawn("sleep", ["200000"], {
      env: { PATH: process.env["PATH"], ...more },
      detached: true,
      stdio: "ignore"
    })
    world.bystanders.push(statOf(child.pid))
  }
  return world
}
