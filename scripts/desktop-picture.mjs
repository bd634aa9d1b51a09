// The picture of notifications on a desktop, docs/images/desktop.png: a daemon, its relay and notify-send in front of dunst,
// on an X server without a screen. Debian's packages: xvfb dbus dunst libnotify-bin imagemagick fonts-dejavu-core.
import { execFileSync, spawn, spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const picture = join(root, "docs/images/desktop.png")
const home = mkdtempSync(join(tmpdir(), "autopilotd-desktop-"))
const path = (name) => join(home, name)

const dunstrc = `[global]
width = 520
height = 300
origin = top-left
offset = 0x0
font = DejaVu Sans 11
frame_width = 1
gap_size = 8
[urgency_normal]
background = "#1f2430"
foreground = "#e6e6e6"
frame_color = "#3a4356"
timeout = 0
[urgency_critical]
background = "#3b1d22"
foreground = "#ffffff"
frame_color = "#c4424f"
timeout = 0
`

const settings = `project = "shop"
restart.initial_backoff_ms = 200
restart.max_consecutive_restarts = 3
[notify.to.desk]
type = "desktop"
[worker_command]
type = "Command"
argv = ["/bin/sh", "-c", "sleep 3; echo '<b>TypeError</b>: cart is undefined' >&2; exit 1"]
[projects.docs]
worker_command = { type = "Command", argv = ["/bin/sleep", "4"] }
`

const children = []
/** Starts a program that runs until the end, and returns its first line. */
const firstLine = (command, args, options = {}) =>
  new Promise((resume, fail) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "ignore"], ...options })
    children.push(child)
    child.once("error", fail)
    child.stdout.setEncoding("utf8").once("data", (text) => resume(text.trim()))
  })

const until = async (what, holds) => {
  for (let tries = 0; !holds(); tries++) {
    if (tries > 200) throw new Error(`never came about: ${what}`)
    await sleep(100)
  }
}

try {
  writeFileSync(path("dunstrc"), dunstrc)
  writeFileSync(path("daemon.toml"), settings)
  // The X server writes the number of a free display.
  const display = await firstLine("Xvfb", [
    "-screen",
    "0",
    "540x360x24",
    "-nolisten",
    "tcp",
    "-displayfd",
    "1"
  ])
  const bus = await firstLine("dbus-daemon", ["--session", "--print-address=1", "--nofork"])
  const env = {
    ...process.env,
    AUTOPILOT_HOME: home,
    DISPLAY: `:${display}`,
    DBUS_SESSION_BUS_ADDRESS: bus
  }
  children.push(spawn("dunst", ["-conf", path("dunstrc")], { env, stdio: "ignore" }))
  const autopilotd = (...args) =>
    execFileSync(join(root, "bin/autopilotd"), args, { env, encoding: "utf8", cwd: home })
  autopilotd("start", "--detach")
  const sent = () =>
    existsSync(path("notify.json")) && JSON.parse(autopilotd("notify", "list", "--json")).data
  const told = () => autopilotd("history", "--json").match(/"_tag":"(GaveUp|WorkerStopped)"/g)?.length === 2
  await until("both have ended", told)
  await until("all is sent", () => sent()?.channels[0].last_success_ms && sent().channels[0].waiting === 0)
  await sleep(2000)
  execFileSync("import", ["-window", "root", picture], { env })
  execFileSync("convert", [picture, "-trim", "+repage", "-strip", picture])
} finally {
  spawnSync(join(root, "bin/autopilotd"), ["stop"], { env: { ...process.env, AUTOPILOT_HOME: home } })
  for (const child of children.toReversed()) child.kill()
  rmSync(home, { recursive: true, force: true })
}
