// How long is a worker away that was killed? From SIGKILL to the first act of the next one.
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { install, startDaemon } from "./kit/Autopilotd.mjs"
import { median, option, printTable, quantile, ratio } from "./kit/Figures.mjs"
import { startPm2 } from "./kit/Pm2.mjs"
import { session, sleep } from "./kit/Session.mjs"
import { listen } from "./kit/WorkerPipe.mjs"

const rounds = option("rounds", 30)
const warmUps = 3
const delaysMs = [0, 100]
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
