// What does a look at the memory cost while there is plenty? Beside a bare Node timer that reads /proc/meminfo.
import { writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { install, launch, makeHome } from "./kit/Autopilotd.mjs"
import { median, option, printTable, ratio } from "./kit/Figures.mjs"
import { cpuMsOf, voluntarySwitchesOf } from "./kit/ProcessFigures.mjs"
import { session, sleep } from "./kit/Session.mjs"

const rounds = option("rounds", 4)
const windowS = option("window", 10)
const settleS = option("settle", 40)
const intervals = [1000, 250, 50]
/** Longer than any headroom is worth: this daemon shows what all the rest of it costs. */
const seldomMs = 2 ** 31 - 1
const floorFile = join(dirname(fileURLToPath(import.meta.url)), "floor/meminfo.mjs")

/** Thresholds of some bytes: so much is always available that only the interval says when the next look is. */
const settings = (intervalMs) => `[memory]
dry_run = true
min_available_bytes = 2
critical_threshold_bytes = 1
poll_interval_ms = ${intervalMs}
`

const startDaemon = async (run, installed, intervalMs) => {
  const home = makeHome(run, `home-${intervalMs}`, {})
  writeFileSync(join(home, "daemon.toml"), settings(intervalMs))
  const daemon = launch(run, installed, home, ["--", "sleep", "600"])
  const { memory_available_bytes: availableBytes } = await daemon.awaitStatus("running")
  // As fast as memory can be filled: so soon it looks again at the latest.
  const looksPerS = 1000 / Math.min(intervalMs, availableBytes / ((6 * 2 ** 30) / 1000))
  return { pid: daemon.pid, looksPerS }
}

/** Processor time and wake-ups a second, one figure for each window. */
const measured = async (systems) => {
  const figures = systems.map(() => ({ cpuUs: [], wakeUps: [] }))
  for (let round = 0; round < rounds; round++) {
    const look = () =>
      systems.map(({ pid }) => [cpuMsOf(pid) * 1000, voluntarySwitchesOf(pid), performance.now() / 1000])
    const before = look()
    await sleep(windowS * 1000)
    for (const [at, [cpuUs, wakeUps, nowS]] of look().entries()) {
      const seconds = nowS - before[at][2]
      figures[at].cpuUs.push((cpuUs - before[at][0]) / seconds)
      figures[at].wakeUps.push((wakeUps - before[at][1]) / seconds)
    }
  }
  return figures
}

await session((settleS + rounds * windowS) * 1000 + 120_000, async (run) => {
  const installed = install(run)
  const seldom = await startDaemon(run, installed, seldomMs)
  const systems = [seldom]
  for (const intervalMs of intervals) {
    const bare = run.start(process.execPath, [floorFile, String(intervalMs)])
    systems.push({ pid: bare.pid }, await startDaemon(run, installed, intervalMs))
  }
  await sleep(settleS * 1000)
  const [rest, ...figures] = await measured(systems)
  const rows = intervals.flatMap((intervalMs, at) => {
    const [bare, daemon] = figures.slice(2 * at, 2 * at + 2)
    const floorUs = bare.cpuUs.map((cpuUs) => (cpuUs * intervalMs) / 1000)
    const moreLooksPerS = 1000 / intervalMs - seldom.looksPerS
    const lookUs = daemon.cpuUs.map((cpuUs, round) => (cpuUs - rest.cpuUs[round]) / moreLooksPerS)
    const row = (name, perLook, { cpuUs, wakeUps }) => [
      `${name}, every ${intervalMs} ms`,
      median(perLook),
      Math.min(...perLook),
      Math.max(...perLook),
      ratio(median(perLook), median(floorUs)),
      (median(cpuUs) * 60) / 1000,
      median(wakeUps)
    ]
    return [row("bare Node timer", floorUs, bare), row("autopilotd", lookUs, daemon)]
  })
  const seldomRow = `autopilotd, every ${Math.round(1000 / seldom.looksPerS)} ms`
  printTable(
    `A look at the memory, plenty of it: ${rounds} windows of ${windowS} s after ${settleS} s, one sleeping worker each.`,
    ["", "cpu us/look", "min", "max", "/ floor", "cpu ms/min in all", "wake-ups/s"],
    [...rows, [seldomRow, "", "", "", "", (median(rest.cpuUs) * 60) / 1000, median(rest.wakeUps)]]
  )
})
