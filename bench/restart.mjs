// How long is a worker away that was killed? From SIGKILL to the first act of the next one.
import { spawnSync } from "node:child_process"
import { constants, openSync } from "node:fs"
import { Socket } from "node:net"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { install, startDaemon } from "./kit/Autopilotd.mjs"
import { median, option, printTable, quantile, ratio } from "./kit/Figures.mjs"
import { startPm2 } from "./kit/Pm2.mjs"
import { session, sleep, within } from "./kit/Session.mjs"

const rounds = option("rounds", 30)
const warmUps = 3
const delaysMs = [0, 100]
const floorFolder = join(dirname(fileURLToPath(import.meta.url)), "floor")
const script = join(floorFolder, "worker.sh")

/** A named pipe on which workers say their pids. */
const listen = (path) => {
  if (spawnSync("mkfifo", ["-m", "600", path]).status !== 0) throw new Error(`mkfifo ${path} failed`)
  // For writing too, so that it has no end when a worker dies.
  const socket = new Socket({ fd: openSync(path, constants.O_RDWR | constants.O_NONBLOCK) })
  let tell = () => undefined
  let pid = 0
  socket.on("data", (chunk) => {
    const atNanos = process.hrtime.bigint()
    pid = Number(chunk.toString("latin1").trim().split("\n").at(-1))
    tell(atNanos)
  })
  const next = () => within(30_000, `a worker on ${path}`, new Promise((done) => (tell = done)))
  return { path, pid: () => pid, next, close: () => socket.destroy() }
}

const kill = async (system) => {
  const back = system.pipe.next()
  const killedNanos = process.hrtime.bigint()
  process.kill(system.pipe.pid(), "SIGKILL")
  return Number((await back) - killedNanos) / 1e6
}

await session(rounds * 10_000 + 120_000, async (run) => {
  const autopilotd = install(run)
  const pipe = (name) => {
    const made = listen(join(run.folder, `${name}.pipe`))
    run.atEnd(made.close)
    return made
  }
  const begun = async (name, delayMs, begin) => {
    const system = { name, delayMs, pipe: pipe(`${name}${delayMs}`), tookMs: [] }
    const first = system.pipe.next()
    await begin(system.pipe.path)
    await first
    return system
  }

  const systems = []
  for (const delayMs of delaysMs) {
    systems.push(
      await begun("bare Node", delayMs, (path) => {
        run.start(process.execPath, [join(floorFolder, "respawn.mjs"), String(delayMs), script, path])
      }),
      await begun("autopilotd", delayMs, (path) =>
        startDaemon(run, autopilotd, {
          name: `home${delayMs}`,
          restart: { initial_backoff_ms: delayMs, backoff_multiplier: 1 },
          worker: [script, path]
        })
      )
    )
  }
  const pipes = delaysMs.map((delayMs) => ({ delayMs, pipe: pipe(`pm2-${delayMs}`) }))
  const firsts = pipes.map(({ pipe }) => pipe.next().catch(() => undefined))
  const pm2 = await startPm2(
    run,
    pipes.map(({ delayMs, pipe: { path } }) => ({
      name: `delay${delayMs}`,
      script,
      args: [path],
      restartDelayMs: delayMs
    }))
  )
  if (pm2.absent === undefined) {
    await Promise.all(firsts)
    for (const { delayMs, pipe } of pipes) systems.push({ name: "pm2", delayMs, pipe, tookMs: [] })
  }

  for (let round = -warmUps; round < rounds; round++) {
    // In another order each time, so that no system always follows the same one.
    for (const system of systems.toSorted(() => Math.random() - 0.5)) {
      await sleep(60 + Math.random() * 80)
      const tookMs = await kill(system)
      if (round >= 0) system.tookMs.push(tookMs)
    }
  }

  const rows = delaysMs.flatMap((delayMs) => {
    const floorMs = median(systems.find((s) => s.name === "bare Node" && s.delayMs === delayMs).tookMs)
    return systems
      .filter((system) => system.delayMs === delayMs)
      .map(({ name, tookMs }) => [
        `${name}, delay ${delayMs} ms`,
        median(tookMs),
        quantile(tookMs, 0.25),
        quantile(tookMs, 0.75),
        Math.max(...tookMs),
        ratio(median(tookMs), floorMs),
        median(tookMs) - floorMs
      ])
  })
  printTable(
    `Restart: SIGKILL of the worker to the first act of the next one, ${rounds} rounds, interleaved.`,
    ["", "p50 ms", "p25", "p75", "max", "/ floor", "+ ms"],
    rows,
    pm2.absent === undefined ? [] : [["pm2", pm2.absent]]
  )
})
