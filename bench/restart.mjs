// How long is a worker away that was killed? From SIGKILL to the first act of the next one; also in a crash loop, with the
// processor time of the supervisor per restart.
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { install, startDaemon } from "./kit/Autopilotd.mjs"
import { median, option, printTable, quantile, ratio } from "./kit/Figures.mjs"
import { startPm2 } from "./kit/Pm2.mjs"
import { cpuMsOf } from "./kit/ProcessFigures.mjs"
import { session, sleep } from "./kit/Session.mjs"
import { listen } from "./kit/WorkerPipe.mjs"

const rounds = option("rounds", 30)
const warmUps = 3
const delaysMs = [0, 100]
/** The crash loop: restarts in a row, and how often each system has its turn. */
const restartsInARow = 25
const blocks = 8
const floorFolder = join(dirname(fileURLToPath(import.meta.url)), "floor")
const script = join(floorFolder, "worker.sh")

const kill = async (system) => {
  const back = system.pipe.next()
  const killedMs = performance.now()
  process.kill(system.pipe.pid(), "SIGKILL")
  return (await back).atMs - killedMs
}

await session(rounds * 10_000 + 120_000, async (run) => {
  const autopilotd = install(run)
  const pipe = (name) => listen(run, join(run.folder, `${name}.pipe`))
  const systemOf = (name, delayMs, pipe, supervisor) => {
    const loop = { tookMs: [], cpuMs: 0 }
    return { name, delayMs, pipe, supervisor, tookMs: [], loop }
  }
  const begun = async (name, delayMs, begin) => {
    const own = pipe(`${name}${delayMs}`)
    const first = own.next()
    const { pid } = await begin(own.path)
    await first
    return systemOf(name, delayMs, own, pid)
  }

  const systems = []
  for (const delayMs of delaysMs) {
    systems.push(
      await begun("bare Node", delayMs, (path) =>
        run.start(process.execPath, [join(floorFolder, "respawn.mjs"), String(delayMs), script, path])
      ),
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
    for (const { delayMs, pipe } of pipes) systems.push(systemOf("pm2", delayMs, pipe, pm2.pid))
  }

  for (let round = -warmUps; round < rounds; round++) {
    // In another order each time, so that no system always follows the same one.
    for (const system of systems.toSorted(() => Math.random() - 0.5)) {
      await sleep(60 + Math.random() * 80)
      const tookMs = await kill(system)
      if (round >= 0) system.tookMs.push(tookMs)
    }
  }

  /** Restarts in a row, each worker killed 20 ms after its first act. */
  const crashLoop = async ({ loop, pipe, supervisor }, isMeasured) => {
    await sleep(100)
    const beforeMs = cpuMsOf(supervisor)
    for (let count = 0; count < restartsInARow; count++) {
      const tookMs = await kill({ pipe })
      if (isMeasured) loop.tookMs.push(tookMs)
      await sleep(20)
    }
    await sleep(100)
    if (isMeasured) loop.cpuMs += cpuMsOf(supervisor) - beforeMs
  }
  const looping = systems.filter(({ delayMs }) => delayMs === 0)
  for (let block = -1; block < blocks; block++)
    for (const system of looping.toSorted(() => Math.random() - 0.5)) await crashLoop(system, block >= 0)

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
  const floor = looping.find(({ name }) => name === "bare Node").loop
  printTable(
    `Crash loop without a delay: each worker is killed 20 ms after its start, ${blocks * restartsInARow} restarts, interleaved.`,
    ["", "p50 ms", "p25", "p75", "max", "/ floor", "CPU ms"],
    looping.map(({ loop: { cpuMs, tookMs }, name }) => [
      name,
      median(tookMs),
      quantile(tookMs, 0.25),
      quantile(tookMs, 0.75),
      Math.max(...tookMs),
      ratio(median(tookMs), median(floor.tookMs)),
      cpuMs / (blocks * restartsInARow)
    ])
  )
})
