// How long from the moment at which memory is low until the hog receives its TERM? Beside earlyoom.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { copyFileSync, readlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { install, launch, makeHome } from "./kit/Autopilotd.mjs"
import { crowd } from "./kit/Crowd.mjs"
import { nobody, startEarlyoom } from "./kit/Earlyoom.mjs"
import { option, printTable, quantile } from "./kit/Figures.mjs"
import { ownMeminfo } from "./kit/OwnMeminfo.mjs"
import { processCount } from "./kit/ProcessFigures.mjs"
import { session, sleep, within } from "./kit/Session.mjs"

const here = dirname(fileURLToPath(import.meta.url))
const drops = option("drops", 7)
const ramps = option("ramps", 3)
const processes = option("processes", 200)
const [totalMib, plentyMib, rampFromMib, thresholdMib, killMib] = [32, 20, 6, 2, 0.5].map((gib) => gib * 1024)
/** Low, and far from critical: only TERM is asked for. */
const lowMib = 1.5 * 1024
/** At least as long as anybody sleeps between two looks, and then some at random. */
const phaseMs = () => 1500 + Math.random() * 1000

/** All of it runs in a PID namespace: whatever anybody would end, there is nobody else. */
const enter = async () => {
  if (process.getuid() !== 0)
    return console.log("Reaction is not measured: it takes namespaces, and only root makes them.")
  const flags = ["--pid", "--mount", "--propagation=private", "--fork", "--kill-child", "--mount-proc"]
  // The first process there reaps; a shell that is told to exit afterwards does not become what it runs.
  const command = ["sh", "-c", '"$@"; exit', "sh", process.execPath, ...process.argv.slice(1)]
  const outside = readlinkSync("/proc/self/ns/pid")
  const child = spawn("unshare", [...flags, ...command], {
    stdio: "inherit",
    env: { ...process.env, AUTOPILOTD_BENCH_OUTSIDE: outside }
  })
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => child.kill(name))
  const [code] = await once(child, "exit")
  process.exitCode = code ?? 1
}

const daemonSettings = `[memory]
poll_interval_ms = 1000
min_available_bytes = ${thresholdMib * 2 ** 20}
critical_threshold_bytes = ${killMib * 2 ** 20}
node_kill_threshold_bytes = ${80 * 2 ** 20}
`

/** A hog that is ready; `ended` is when it received TERM, as process.hrtime counts. */
const startHog = async (run, uid) => {
  const child = run.start(process.execPath, [join(run.folder, "hog.mjs")], {
    stdio: ["ignore", "pipe", "inherit"],
    ...(uid === undefined ? {} : { uid, gid: uid })
  })
  const lines = createInterface({ input: child.stdout })
  const said = lines[Symbol.asyncIterator]()
  await within(20_000, "a hog", said.next())
  const hog = { isEnded: false, ended: undefined, gone: once(child, "exit") }
  hog.ended = said.next().then(({ value }) => {
    hog.isEnded = true
    if (value === undefined) throw new Error("the hog ended without a TERM")
    return BigInt(value)
  })
  // It is looked at later: until then nobody else does.
  hog.ended.catch(() => undefined)
  return hog
}

/** Sets what is available at once; returns the moment. */
const drop = async ({ is }) => {
  await sleep(phaseMs())
  const atNanos = process.hrtime.bigint()
  is(lowMib)
  return atNanos
}

/** Lets it sink until the hog has its TERM; returns the moment of the first figure below the threshold. */
const ramp =
  (gibPerS) =>
  async ({ is }, hog) => {
    is(rampFromMib)
    await sleep(phaseMs())
    const fromMs = performance.now()
    let crossedNanos
    for (;;) {
      const mib = rampFromMib - ((performance.now() - fromMs) * gibPerS * 1024) / 1000
      if (mib < lowMib || hog.isEnded) return crossedNanos
      if (mib < thresholdMib) crossedNanos ??= process.hrtime.bigint()
      is(mib)
      await sleep(1)
    }
  }

const scenarios = [
  { name: "sudden drop from 20 GiB", rounds: drops, happens: drop },
  { name: "ramp, 1 GiB/s from 6 GiB", rounds: ramps, happens: ramp(1) },
  { name: "ramp, 4 GiB/s from 6 GiB", rounds: ramps, happens: ramp(4) }
]

const measure = () =>
  session(1_800_000, async (run) => {
    copyFileSync(join(here, "kit/hog.mjs"), join(run.folder, "hog.mjs"))
    const installed = install(run)
    const memory = (name) => ownMeminfo(run, { name, totalMib, availableMib: plentyMib })
    const absent = []
    const systems = []
    try {
      const meminfo = memory("earlyoom")
      const limits = ["-M", `${thresholdMib * 1024},${killMib * 1024}`, "--prefer", "^hog$"]
      startEarlyoom(run, meminfo, limits).stderr.resume()
      systems.push({ name: "earlyoom", meminfo, uid: nobody })
    } catch (cause) {
      absent.push(["earlyoom", cause.message])
    }
    const meminfo = memory("autopilotd")
    const home = makeHome(run, "home", {})
    writeFileSync(join(home, "daemon.toml"), daemonSettings)
    const daemon = launch(run, installed, home, ["--", "sleep", "100000"], meminfo.by)
    await daemon.awaitStatus("running")
    systems.push({ name: "autopilotd", meminfo, uid: undefined })
    await crowd(run, processes)
    const there = processCount()

    const rows = []
    for (const { happens, name, rounds } of scenarios) {
      const delaysMs = new Map(systems.map((system) => [system, []]))
      for (let round = 0; round < rounds; round++) {
        for (const system of systems) {
          const hog = await startHog(run, system.uid)
          const atNanos = await happens(system.meminfo, hog)
          const endedNanos = await within(20_000, `${system.name} ends the hog`, hog.ended)
          delaysMs.get(system).push(Number(endedNanos - atNanos) / 1e6)
          system.meminfo.is(plentyMib)
          await hog.gone
        }
      }
      for (const [system, values] of delaysMs) {
        const quartiles = [0.25, 0.5, 0.75].map((share) => quantile(values, share))
        rows.push([`${name}: ${system.name}`, String(values.length), ...quartiles, Math.max(...values)])
      }
    }
    printTable(
      `From memory below 2 GiB to the hog's TERM, ms; ${there} processes, in turns.`,
      ["", "n", "p25", "p50", "p75", "max"],
      rows,
      absent
    )
  })

const outside = process.env.AUTOPILOTD_BENCH_OUTSIDE
if (outside === undefined) await enter()
else if (readlinkSync("/proc/self/ns/pid") === outside) throw new Error("this is no PID namespace of its own")
else await measure()
