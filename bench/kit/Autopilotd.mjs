// The daemon under measurement: its launcher and bundle, copied, so that a build meanwhile changes nothing.
import { spawn, spawnSync } from "node:child_process"
import { cpSync, mkdirSync, writeFileSync } from "node:fs"
import { createConnection } from "node:net"
import { dirname, join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { endChild, eventually, within } from "./Session.mjs"

const root = join(dirname(fileURLToPath(import.meta.url)), "../..")

/**
 * Builds what is out of date and copies what ships into the session's folder. AUTOPILOTD_UNDER_TEST names another
 * package to measure, as it stands: a folder with `bin`, `dist` and package.json.
 */
export const install = ({ folder }) => {
  const given = process.env.AUTOPILOTD_UNDER_TEST
  const build = () =>
    spawnSync(process.execPath, [join(root, "scripts/ready.mjs")], { stdio: ["ignore", 2, 2] }).status
  if (!given && build() !== 0) throw new Error("the bundle could not be built")
  const at = join(folder, "autopilotd")
  // Without the "type" in package.json Node would read the bundle twice, first as CommonJS.
  for (const part of ["bin", "dist", "package.json"])
    cpSync(join(given || root, part), join(at, part), { recursive: true })
  return { launcher: join(at, "bin/autopilotd"), bundle: join(at, "dist/autopilotd.js") }
}

/** One request on a new connection, as the original's client sends it; the answer's bytes. */
export const exchange = (path, request) =>
  new Promise((resolve, reject) => {
    const chunks = []
    const socket = createConnection({ path })
    socket.on("connect", () => socket.write(request))
    socket.on("data", (chunk) => chunks.push(chunk))
    socket.on("error", reject)
    socket.on("end", () => resolve(Buffer.concat(chunks)))
  })

/** What runs a command as it is. */
const directly = (command, args) => [command, args]

/**
 * A daemon in the foreground, just launched, whose home has its settings; `args` follow its `start`. `by` makes another
 * command of it, which must become it.
 */
export const launch = ({ atEnd, folder }, { launcher }, home, args = [], by = directly) => {
  const child = spawn(...by(launcher, ["start", ...args]), {
    cwd: folder,
    env: { ...process.env, AUTOPILOT_HOME: home },
    stdio: ["ignore", "ignore", "pipe"]
  })
  atEnd(() => endChild(child, 20_000))
  const socket = join(home, "autopilotd.sock")
  const lines = createInterface({ input: child.stderr })
  const lastLines = []
  lines.on("line", (line) => lastLines.push(line) > 20 && lastLines.shift())
  const ask = async (request) =>
    JSON.parse((await exchange(socket, JSON.stringify(request))).toString("utf8"))
  const awaitStatus = (wanted) =>
    eventually(`the worker is ${wanted}`, async () => {
      if (child.exitCode !== null) throw new Error(`the daemon has ended:\n${lastLines.join("\n")}`)
      const data = await ask({ type: "Status" }).then(
        (answer) => answer.data,
        () => undefined
      )
      return data?.worker_status === wanted ? data : undefined
    })
  /** Resolves at the next line of its log that matches. */
  const nextLogged = (pattern, limitMs = 30_000) =>
    within(
      limitMs,
      `${pattern} in the daemon's log`,
      new Promise((done) => {
        const look = (line) => {
          if (!pattern.test(line)) return
          lines.off("line", look)
          done(line)
        }
        lines.on("line", look)
      })
    )
  return { child, pid: child.pid, home, socket, ask, awaitStatus, nextLogged }
}

/** Writes the settings of a new home. Hogs are only reported: a benchmark must not end anybody else's process. */
export const makeHome = ({ folder }, name, restart, projects = []) => {
  const home = join(folder, name)
  mkdirSync(home, { mode: 0o700 })
  const table = Object.entries({ max_consecutive_restarts: 1_000_000, ...restart })
  const lines = [
    "[memory]",
    "dry_run = true",
    "[restart]",
    ...table.map(([key, value]) => `${key} = ${value}`),
    ...projects.flatMap((project) => [
      `[projects.${JSON.stringify(project.name)}.worker_command]`,
      'type = "Command"',
      `argv = ${JSON.stringify(project.argv)}`
    ])
  ]
  writeFileSync(join(home, "daemon.toml"), `${lines.join("\n")}\n`)
  return home
}

/**
 * A daemon in the foreground with a home of its own, once its worker runs. `restart` is the settings' table of that
 * name.
 */
export const startDaemon = async (run, installed, { name, restart = {}, worker }) => {
  const daemon = launch(run, installed, makeHome(run, name, restart), ["--", ...worker])
  await daemon.awaitStatus("running")
  return daemon
}
