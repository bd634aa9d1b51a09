// What does a daemon cost that has nothing to do? One sleeping worker each, all of them side by side.
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { install, launch, makeHome, startDaemon } from "./kit/Autopilotd.mjs"
import { option, printTable, ratio } from "./kit/Figures.mjs"
import { ownMeminfo } from "./kit/OwnMeminfo.mjs"
import { startPm2 } from "./kit/Pm2.mjs"
import { cpuMsOf, memoryOf, voluntarySwitchesOf } from "./kit/ProcessFigures.mjs"
import { eventually, session, sleep } from "./kit/Session.mjs"

const settleS = option("settle", 20)
const windowS = option("window", 60)
const floorFolder = join(dirname(fileURLToPath(import.meta.url)), "floor")
const worker = join(floorFolder, "worker.sh")

/** A daemon that sees so much memory above the threshold of `low`: the less there is, the more often it looks. */
const withHeadroom = async (run, installed, gib) => {
  const home = makeHome(run, `headroom-${gib}`, {})
  const path = join(home, "daemon.toml")
  const thresholds = `[memory]\nmin_available_bytes = ${2 * 2 ** 30}\ncritical_threshold_bytes = ${2 ** 30}\n`
  writeFileSync(path, readFileSync(path, "utf8").replace("[memory]\n", thresholds))
  const meminfo = ownMeminfo(run, { name: `${gib}`, totalMib: 32 * 1024, availableMib: (gib + 2) * 1024 })
  const daemon = launch(run, installed, home, ["--", worker, ""], meminfo.by)
  await daemon.awaitStatus("running")
  return [`autopilotd, ${gib} GiB of headroom`, daemon.pid]
}

/** What a relay is started for here. Nothing happens that it could tell. */
const outward = `[metrics]
listen = "127.0.0.1:17421"
[notify.to.desk]
type = "desktop"
`

/** The relay that a daemon has started. */
const relayOf = (daemon) =>
  eventually("the relay runs", () => {
    const found = readdirSync("/proc").find((pid) => {
      try {
        return (
          readFileSync(`/proc/${pid}/cmdline`, "latin1").endsWith("\0relay\0") &&
          Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "latin1"))?.[1]) === daemon.pid
        )
      } catch {
        return false // gone meanwhile, or no process
      }
    })
    return found === undefined ? undefined : Number(found)
  })

await session((settleS + windowS) * 1000 + 180_000, async (run) => {
  const empty = run.start(process.execPath, ["-e", "setInterval(() => {}, 1e9)"])
  const bare = run.start(process.execPath, [join(floorFolder, "respawn.mjs"), "0", worker, ""])
  const installed = install(run)
  const daemon = await startDaemon(run, installed, { name: "home", worker: [worker, ""] })
  const home = makeHome(run, "outward", {})
  appendFileSync(join(home, "daemon.toml"), outward)
  const telling = launch(run, installed, home, ["--", worker, ""])
  await telling.awaitStatus("running")
  const pm2 = await startPm2(run, [{ name: "sleeps", script: worker, args: [""], restartDelayMs: 0 }])
  const absent = []
  const headrooms = []
  try {
    for (const gib of [20, 4]) headrooms.push(await withHeadroom(run, installed, gib))
  } catch (cause) {
    absent.push(["autopilotd with 20 or 4 GiB of headroom", cause.message])
  }
  const systems = [
    ["node, nothing to do", empty.pid],
    ["bare Node respawner", bare.pid],
    ["autopilotd", daemon.pid],
    ...headrooms,
    ["autopilotd with a relay", telling.pid],
    ["its relay: /metrics, a desktop", await relayOf(telling)],
    ...(pm2.absent === undefined ? [["pm2", pm2.pid]] : [])
  ]
  const look = (pid) => ({ cpuMs: cpuMsOf(pid), switches: voluntarySwitchesOf(pid) })

  await sleep(settleS * 1000)
  const before = systems.map(([, pid]) => look(pid))
  const startedMs = performance.now()
  await sleep(windowS * 1000)
  const minutes = (performance.now() - startedMs) / 60_000

  const floorRssMib = memoryOf(bare.pid).rssMib
  const rows = systems.map(([name, pid], at) => {
    const { privateDirtyMib, pssMib, rssMib } = memoryOf(pid)
    const { cpuMs, switches } = look(pid)
    return [
      name,
      rssMib,
      ratio(rssMib, floorRssMib),
      pssMib,
      privateDirtyMib,
      ((cpuMs - before[at].cpuMs) / minutes / 1000) * 60,
      (switches - before[at].switches) / (minutes * 60)
    ]
  })
  printTable(
    `Idle with one sleeping worker: ${windowS} s after ${settleS} s of settling. PSS shares Node's text among the rows.`,
    ["", "RSS MiB", "/ floor", "PSS MiB", "private dirty", "cpu s/h", "wake-ups/s"],
    rows,
    pm2.absent === undefined ? absent : [...absent, ["pm2", pm2.absent]]
  )
})
