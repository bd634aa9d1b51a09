// How long until a stopped worker's whole tree is known to be gone, on an empty machine and on a full one? The worker
// obeys TERM at once, so what is measured is the daemon.
import { once } from "node:events"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { install, startDaemon } from "./kit/Autopilotd.mjs"
import { crowd } from "./kit/Crowd.mjs"
import { median, option, printTable, quantile, ratio } from "./kit/Figures.mjs"
import { cpuMsOf, processCount } from "./kit/ProcessFigures.mjs"
import { session, sleep, within } from "./kit/Session.mjs"

const rounds = option("rounds", 15)
const warmUps = 2
const crowds = [70, 1000]
/** Until a worker that runs has become the sleeper it will be. */
const settleMs = 100
const floorFolder = join(dirname(fileURLToPath(import.meta.url)), "floor")
const worker = join(floorFolder, "worker.sh")

await session(rounds * crowds.length * 60_000 + 120_000, async (run) => {
  const daemon = await startDaemon(run, install(run), { name: "home", worker: [worker, ""] })
  const bare = run.start(process.execPath, [join(floorFolder, "respawn.mjs"), "0", worker, ""], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const bareSays = () => within(10_000, "the bare respawner's word", once(bare.stdout, "data"))
  await bareSays()

  const stopBare = async () => {
    const down = bareSays()
    const askedMs = performance.now()
    bare.kill("SIGUSR2")
    await down
    const tookMs = performance.now() - askedMs
    const up = bareSays()
    bare.kill("SIGUSR2")
    await up
    await sleep(settleMs)
    return tookMs
  }
  const stopDaemon = async () => {
    const down = daemon.nextLogged(/Worker stopped/)
    const askedMs = performance.now()
    const answered = daemon.ask({ type: "StopWorker" }).then(() => performance.now() - askedMs)
    await down
    const tookMs = performance.now() - askedMs
    const answeredMs = await answered
    await daemon.ask({ type: "StartWorker" })
    await daemon.awaitStatus("running")
    await sleep(settleMs)
    return { tookMs, answeredMs }
  }

  const rows = []
  for (const wanted of crowds) {
    const end = await crowd(run, wanted)
    const there = processCount()
    const bareMs = []
    const stops = []
    for (let round = -warmUps; round < rounds; round++) {
      const floorMs = await stopBare()
      const cpuBeforeMs = cpuMsOf(daemon.pid)
      const stop = await stopDaemon()
      // Starting again is in it, for both happen between two looks.
      const cpuMs = cpuMsOf(daemon.pid) - cpuBeforeMs
      if (round < 0) continue
      bareMs.push(floorMs)
      stops.push({ ...stop, cpuMs })
    }
    await end()
    const tookMs = stops.map((stop) => stop.tookMs)
    rows.push(
      [
        `bare Node, ${there} processes`,
        "-",
        median(bareMs),
        quantile(bareMs, 0.75),
        Math.max(...bareMs),
        "1.00x",
        "-"
      ],
      [
        `autopilotd, ${there} processes`,
        median(stops.map((stop) => stop.answeredMs)),
        median(tookMs),
        quantile(tookMs, 0.75),
        Math.max(...tookMs),
        ratio(median(tookMs), median(bareMs)),
        median(stops.map((stop) => stop.cpuMs))
      ]
    )
  }
  printTable(
    `Stop: from the request to nothing left, ${rounds} rounds, interleaved. Bare Node only awaits its child's exit.`,
    ["", "answered ms", "gone p50 ms", "p75", "max", "/ floor", "cpu ms stop+start"],
    rows
  )
})
