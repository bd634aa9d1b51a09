// What does it cost to look at all processes for one that could be ended? With 100, 1,000 and 3,000 on the machine: again
// and again while memory is short, and the first time after hours in which it was not.
import { once } from "node:events"
import { dirname, join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { build, stop } from "esbuild"
import { crowd } from "./kit/Crowd.mjs"
import { startEarlyoom } from "./kit/Earlyoom.mjs"
import { median, option, printTable, ratio } from "./kit/Figures.mjs"
import { ownMeminfo } from "./kit/OwnMeminfo.mjs"
import { cpuMsOf, processCount } from "./kit/ProcessFigures.mjs"
import { eventually, session, signal, sleep } from "./kit/Session.mjs"

const here = dirname(fileURLToPath(import.meta.url))
const rounds = option("rounds", 3)
const windowMs = option("window", 1.5) * 1000
const crowds = [100, 1000, 3000]
/** About as often as earlyoom looks while memory is short. */
const everyMs = 100
/** Until V8 has compiled what runs often. */
const warmUpMs = option("warmup", 15) * 1000
/** First looks of each system, and the rest before each. */
const firstLooks = option("first", 4)
const restMs = 800
/** Looks before them: what V8 has seen of the code by then. */
const usedTo = 40

/**
 * The daemon's own scan and decision, and nothing else of it. Beside a worker, for that is when it scans. With an argument it
 * looks at each `l` that it reads, an hour after the last look by its clock; at each `r` it lets V8 throw its code away, as V8
 * does with code that has not run for long, where it may call gc().
 */
const program = `
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { writeSync } from "node:fs"
import * as Layer from "effect/Layer"
import { chooseVictims } from "${here}/../src/Domain/guard/HogChoice.ts"
import * as ProcessScan from "${here}/../src/Layers/machine/ProcessScan.ts"
import * as ProcFs from "${here}/../src/Layers/machine/ProcFs.ts"

const homeId = "0123456789abcdef"
const id = homeId + ":default:worker"
const worker = spawn("setpriv", ["--pdeathsig", "KILL", "sleep", "100000"], {
  detached: true,
  stdio: "ignore",
  env: { ...process.env, AUTOPILOT_WORKER_ID: id }
})
const workers = [{ project: "default", running: { id, leaderPid: worker.pid } }]
const nodeKillThresholdBytes = 500 * 2 ** 20
const aim = { homeId, largeBytes: nodeKillThresholdBytes, swapInUseBytes: 0 }
const rules = { hogNames: ["node"], hogPolicy: "any", protect: [], nodeKillThresholdBytes, isCritical: false }
const report = Effect.gen(function* () {
  const { scan } = yield* ProcessScan.ProcessScan
  const { victims } = yield* scan(aim, (facts) => Effect.sync(() => chooseVictims(facts, workers, rules)))
  writeSync(2, "scan " + victims.length + "\\n")
})
const layer = Layer.provide(ProcessScan.layer, ProcFs.layer)
let hours = 0n
const now = () => process.hrtime.bigint() + hours * 3_600_000_000_000n
const clock = Object.assign(Object.create(Clock.make()), {
  unsafeCurrentTimeNanos: now,
  currentTimeNanos: Effect.sync(now)
})
let looks = 0
let wake = () => {}
if (process.argv[2] !== undefined)
  process.stdin.setEncoding("latin1").on("data", (words) => {
    for (const word of words) {
      if (word === "l") looks++
      else for (let count = 0; globalThis.gc !== undefined && count < 3; count++) globalThis.gc()
    }
    wake()
  })
const order = Effect.async((resume) => {
  wake = () => {
    if (looks === 0) return
    wake = () => {}
    looks--
    hours++
    resume(Effect.void)
  }
  wake()
})
const next = process.argv[2] === undefined ? Effect.sleep(${everyMs}) : order
Effect.runPromise(
  Effect.provide(Effect.withClock(Effect.forever(Effect.zipRight(next, report)), clock), layer)
)
`

/** What earlyoom says at the end of a look at all processes that ends nobody. */
const earlyoomScanned = "dryrun, not actually sending"

await session(crowds.length * (rounds * 4 * windowMs + warmUpMs + 120_000), async (run) => {
  const bundle = join(run.folder, "scan.mjs")
  await build({
    stdin: { contents: program, resolveDir: here },
    bundle: true,
    platform: "node",
    format: "esm",
    outfile: bundle,
    logLevel: "error"
  })
  await stop()
  const node = (...args) =>
    run.start(process.execPath, ["--max-semi-space-size=1", ...args], { stdio: ["pipe", "ignore", "pipe"] })
  const absent = []
  const systems = [
    {
      name: "node, statm only",
      scanned: "scan ",
      start: () => node(join(here, "floor/statm.mjs"), `${everyMs}`)
    },
    {
      name: "earlyoom --dryrun",
      scanned: earlyoomScanned,
      // It believes that memory is short all the time.
      start: () =>
        startEarlyoom(run, ownMeminfo(run, { name: "scan", totalMib: 32_768, availableMib: 488 }), [
          "--dryrun",
          "-m",
          "10,5"
        ])
    },
    { name: "autopilotd", scanned: "scan ", start: () => node(bundle) }
  ]
  const told = (name, ...flags) => ({
    name,
    scanned: "scan ",
    start: () => {
      const child = node(...flags, bundle, "when told")
      return { child, rest: () => child.stdin.write("r"), look: () => child.stdin.write("l") }
    }
  })
  const plentyMib = 16_384
  const firstSystems = [
    {
      name: "earlyoom --dryrun",
      scanned: earlyoomScanned,
      start: () => {
        const meminfo = ownMeminfo(run, { name: "first", totalMib: 32_768, availableMib: plentyMib })
        const child = startEarlyoom(run, meminfo, ["--dryrun", "-m", "10,5"])
        return { child, rest: () => meminfo.is(plentyMib), look: () => meminfo.is(488) }
      }
    },
    told("autopilotd"),
    told("autopilotd, its code thrown away", "--expose-gc", "--stress-flush-code")
  ]

  /** Starts a system, which scans from now on, or when it is told to. */
  const started = ({ name, scanned, start }) => {
    const begun = start()
    const child = begun.child ?? begun
    const system = { ...begun, name, child, scans: 0, costsMs: [] }
    createInterface({ input: child.stderr }).on("line", (line) => line.includes(scanned) && system.scans++)
    return system
  }

  /** Starts all of them, except those that cannot be had. */
  const allStarted = (wanted) =>
    wanted.flatMap((system) => {
      try {
        return [started(system)]
      } catch (cause) {
        if (!absent.some(([name]) => name === system.name)) absent.push([system.name, cause.message])
        return []
      }
    })

  const ended = async ({ child }) => {
    const exit = once(child, "exit")
    signal(child.pid, "SIGKILL")
    await exit
  }

  /** Milliseconds on a core for one look after a rest. */
  const measureFirst = async (system, afterMs) => {
    const { child, look, name, rest } = system
    rest()
    await sleep(afterMs)
    const [cpuBeforeMs, scansBefore] = [cpuMsOf(child.pid), system.scans]
    look()
    await eventually(`${name} looks`, async () => system.scans > scansBefore || undefined)
    return (cpuMsOf(child.pid) - cpuBeforeMs) / (system.scans - scansBefore)
  }

  /** Milliseconds on a core for each scan, over a window in which no other system runs; then it is stopped again. */
  const measure = async (system) => {
    const { child, costsMs, name } = system
    signal(child.pid, "SIGCONT")
    const [cpuBeforeMs, scansBefore] = [cpuMsOf(child.pid), system.scans]
    await sleep(windowMs)
    if (system.scans === scansBefore) throw new Error(`${name} does not scan`)
    costsMs.push((cpuMsOf(child.pid) - cpuBeforeMs) / (system.scans - scansBefore))
    signal(child.pid, "SIGSTOP")
  }

  const rows = []
  const firstRows = []
  for (const wanted of crowds) {
    const before = processCount()
    const end = await crowd(run, wanted)
    const running = allStarted(systems)
    await sleep(warmUpMs)
    const there = processCount()
    for (const { child } of running) signal(child.pid, "SIGSTOP")
    for (let round = 0; round < rounds; round++) for (const system of running) await measure(system)
    for (const system of running) await ended(system)
    const firsts = allStarted(firstSystems)
    // A daemon beside a worker scans once a minute all the time. earlyoom compiles nothing while it runs.
    for (let look = 0; look < usedTo; look++)
      for (const system of firsts) if (system.name !== firstSystems[0].name) await measureFirst(system, 0)
    for (let round = 0; round < firstLooks; round++)
      for (const system of firsts) system.costsMs.push(await measureFirst(system, restMs))
    for (const system of firsts) await ended(system)
    await end()
    await eventually("the machine is empty again", async () => processCount() <= before + 10 || undefined)
    const medianOf = (wantedName) => median(running.find(({ name }) => name === wantedName)?.costsMs ?? [])
    for (const { costsMs, name } of firsts)
      firstRows.push([
        `${name}, ${there} processes`,
        median(costsMs),
        Math.min(...costsMs),
        Math.max(...costsMs),
        (median(costsMs) * 1000) / there,
        ratio(
          median(costsMs),
          median(firsts.find(({ name }) => name === firstSystems[0].name)?.costsMs ?? [])
        )
      ])
    for (const { costsMs, name } of running) {
      rows.push([
        `${name}, ${there} processes`,
        median(costsMs),
        Math.min(...costsMs),
        Math.max(...costsMs),
        (median(costsMs) * 1000) / there,
        ratio(median(costsMs), medianOf(systems[0].name)),
        ratio(median(costsMs), medianOf(systems[1].name))
      ])
    }
  }
  printTable(
    `A look at all processes, ms on a core: medians of ${rounds} windows of ${windowMs / 1000} s each, in turns.`,
    ["", "p50 ms", "min", "max", "us / process", "/ floor", "/ earlyoom"],
    rows,
    absent
  )
  printTable(
    `The first look after plenty of memory, ms on a core: medians of ${firstLooks}, in turns. Goal: <= 2x.`,
    ["", "p50 ms", "min", "max", "us / process", "/ earlyoom"],
    firstRows,
    absent
  )
})
