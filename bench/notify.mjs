// How long from an event of the daemon until the desktop is told of it? The desktop is python3-dbusmock's, on a bus of its own.
import { spawn } from "node:child_process"
import { appendFileSync, existsSync } from "node:fs"
import { dirname, join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { install, launch, makeHome } from "./kit/Autopilotd.mjs"
import { median, option, printTable, quantile, ratio } from "./kit/Figures.mjs"
import { eventually, session, sleep, within } from "./kit/Session.mjs"

const here = dirname(fileURLToPath(import.meta.url))
const rounds = option("rounds", 12)
const warmUps = 3
const nowMs = () => performance.timeOrigin + performance.now()

const missing = [
  ["dbus-daemon", "/usr/bin/dbus-daemon", "dbus"],
  ["notify-send", "/usr/bin/notify-send", "libnotify-bin"],
  ["dbusmock", "/usr/lib/python3/dist-packages/dbusmock", "python3-dbusmock"]
].filter(([, path]) => !existsSync(path))

/** The lines of a program that runs until the end of the session. */
const linesOf = (run, command, args, env) =>
  createInterface({ input: run.start(command, args, { stdio: ["ignore", "pipe", "ignore"], env }).stdout })

const next = (lines, what, holds = () => true) =>
  within(
    20_000,
    what,
    new Promise((done) => {
      const look = (line) => {
        if (!holds(line)) return
        lines.off("line", look)
        done(line)
      }
      lines.on("line", look)
    })
  )

await session(rounds * 6000 + 120_000, async (run) => {
  if (missing.length > 0)
    return console.log(
      `Notifications are not measured: apt-get install ${missing.map(([, , name]) => name).join(" ")}`
    )
  const bus = await next(
    linesOf(run, "dbus-daemon", ["--session", "--print-address=1", "--nofork"]),
    "the address of the bus"
  )
  process.env.DBUS_SESSION_BUS_ADDRESS = bus
  const desktop = linesOf(run, "/usr/bin/python3", [
    "-u",
    "-m",
    "dbusmock",
    "--template",
    "notification_daemon"
  ])
  const shown = async (title) => {
    await next(
      desktop,
      `the desktop is told: ${title}`,
      (line) => line.includes("Notify ") && line.includes(title)
    )
    return nowMs()
  }
  const bareSend = async () => {
    const told = shown("bare")
    const startedMs = nowMs()
    spawn("notify-send", ["-a", "bench", "--", "bare", "text"], { stdio: "ignore" })
    return (await told) - startedMs
  }
  // The stand-in takes a moment to have its name.
  await eventually("the desktop answers", () => bareSend().catch(() => undefined), 60_000)

  const home = makeHome(run, "home", { initial_backoff_ms: 400, backoff_multiplier: 1, jitter: 0 })
  appendFileSync(
    join(home, "daemon.toml"),
    '[notify]\nkinds = ["crash"]\nmin_interval_ms = 1\n[notify.to.desk]\ntype = "desktop"\n'
  )
  const daemon = launch(run, install(run), home, ["--", "sh", "-c", "exec sleep 1000000"])
  const { worker_pid: first } = await daemon.awaitStatus("running")
  const subscriber = linesOf(run, process.execPath, [
    join(here, "floor/subscriber.mjs"),
    daemon.socket,
    "BackingOff"
  ])
  await eventually("the notifier runs", () => (existsSync(join(home, "notify.json")) ? true : undefined))

  const tookMs = { bare: [], event: [], kill: [] }
  let before = first
  for (let round = -warmUps; round < rounds; round++) {
    const bareMs = await bareSend()
    // A channel pauses for a second between two notifications.
    await sleep(1200)
    const pid = await eventually("the next worker runs", async () => {
      const data = await daemon.awaitStatus("running")
      return round === -warmUps || data.worker_pid !== before ? data.worker_pid : undefined
    })
    before = pid
    const heard = next(subscriber, "the subscriber hears of it")
    const told = shown("has crashed")
    const killedMs = nowMs()
    process.kill(pid, "SIGSEGV")
    const [heardMs, toldMs] = [Number(await heard), await told]
    if (round < 0) continue
    tookMs.bare.push(bareMs)
    tookMs.event.push(toldMs - heardMs)
    tookMs.kill.push(toldMs - killedMs)
  }

  const floorMs = median(tookMs.bare)
  const row = (name, values) => [
    name,
    median(values),
    quantile(values, 0.95),
    Math.max(...values),
    ratio(median(values), floorMs)
  ]
  printTable(
    `Notifications: from an event to the desktop's stand-in, ${rounds} crashes.`,
    ["", "p50 ms", "p95", "max", "/ floor"],
    [
      row("bare notify-send", tookMs.bare),
      row("event heard -> desktop", tookMs.event),
      row("SIGSEGV of the worker -> desktop", tookMs.kill)
    ]
  )
})
