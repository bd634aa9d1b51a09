// How long from the launch of the daemon until its socket answers, and what does that cost?
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { exchange, install, makeHome } from "./kit/Autopilotd.mjs"
import { median, option, printTable, quantile, ratio } from "./kit/Figures.mjs"
import { cpuMsOf } from "./kit/ProcessFigures.mjs"
import { endChild, eventually, session, sleep, within } from "./kit/Session.mjs"

const rounds = option("rounds", 15)
const warmUps = 2
const status = '{"type":"Status"}'

/** A server that answers as soon as Node can: the least that any daemon takes. */
const bareServer = 'require("net").createServer((s) => s.end("{}")).listen(process.argv[1])'

/** Launches a daemon, asks it until it answers, and ends it; the time, and what it has used of the cores. */
const untilAnswer = async ({ atEnd }, command, args, socket, env) => {
  const startedMs = performance.now()
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: "ignore" })
  atEnd(() => endChild(child, 20_000))
  const answers = async () => {
    for (;;) {
      const answer = await exchange(socket, status).catch(() => undefined)
      if (answer !== undefined) return
      if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}`)
      await sleep(2)
    }
  }
  await within(60_000, "an answer", answers())
  const wallMs = performance.now() - startedMs
  const cpuMs = cpuMsOf(child.pid)
  const ended = once(child, "exit")
  child.kill("SIGTERM")
  await within(20_000, "the end", ended)
  return { wallMs, cpuMs }
}

/** Runs a daemon until it has saved its compiled program, as the one of yesterday has. */
const saveCode = async ({ atEnd }, launcher, home, caches) => {
  const env = { ...process.env, AUTOPILOT_HOME: home, XDG_CACHE_HOME: caches }
  const child = spawn(launcher, ["start", "--", "sleep", "100000"], { env, stdio: "ignore" })
  atEnd(() => endChild(child, 20_000))
  const file = join(caches, "autopilotd/daemon.code")
  await eventually("the compiled program is saved", () => Promise.resolve(existsSync(file) || undefined))
  const ended = once(child, "exit")
  child.kill("SIGTERM")
  await within(20_000, "the end", ended)
}

await session(rounds * 60_000 + 180_000, async (run) => {
  const { launcher } = install(run)
  const home = makeHome(run, "home", {})
  const worker = ["--", "sleep", "100000"]
  /** Starts the daemon with that folder for its compiled program. */
  const start = (caches) =>
    untilAnswer(run, launcher, ["start", ...worker], join(home, "autopilotd.sock"), {
      AUTOPILOT_HOME: home,
      XDG_CACHE_HOME: caches
    })
  const caches = join(run.folder, "caches")
  await saveCode(run, launcher, home, caches)
  const bare = (round) => join(run.folder, `bare${round}.sock`)
  const systems = [
    {
      name: "node -e 0",
      once: () => {
        const startedMs = performance.now()
        const { status: code } = spawnSync(process.execPath, ["-e", "0"])
        if (code !== 0) throw new Error(`node ended with ${code}`)
        return { wallMs: performance.now() - startedMs, cpuMs: Number.NaN }
      }
    },
    {
      name: "bare Node server",
      once: (round) => untilAnswer(run, process.execPath, ["-e", bareServer, bare(round)], bare(round), {})
    },
    { name: "autopilotd", once: () => start(caches) },
    // A folder that is not absolute is none.
    { name: "autopilotd, first start", once: () => start("none") }
  ].map((system) => ({ ...system, wallMs: [], cpuMs: [] }))
  for (let round = -warmUps; round < rounds; round++) {
    for (const system of systems) {
      const { cpuMs, wallMs } = await system.once(round)
      if (round < 0) continue
      system.wallMs.push(wallMs)
      system.cpuMs.push(cpuMs)
    }
  }
  const [floor] = systems
  printTable(
    `From the launch to the first answer on the socket, with one worker: ${rounds} rounds, interleaved. Goal: <= 2.5x.`,
    ["", "p50 ms", "p25", "p75", "/ floor", "cpu ms"],
    systems.map(({ cpuMs, name, wallMs }) => [
      name,
      median(wallMs),
      quantile(wallMs, 0.25),
      quantile(wallMs, 0.75),
      ratio(median(wallMs), median(floor.wallMs)),
      median(cpuMs)
    ])
  )
})
