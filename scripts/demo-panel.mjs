// A daemon with several demo workers in different states, and the panel, in a temporary home. `npm run gui:demo` shows
// them; scripts/screenshots.mjs takes pictures of them.
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { demoHistory } from "./demo-history.mjs"
import { demoSamples } from "./demo-samples.mjs"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const launcher = join(root, "bin/autopilotd")
const agent = join(root, "examples/demo-agent.mjs")

/** As in a settings file of a user: one project for each state that a worker can be in. */
const settings = `# Settings of the demo of the panel. Every key is optional.
project = "shop"

[worker_command]
type = "Command"
argv = ["node", "${agent}", "--model", "sonnet"]

[restart]
# A worker that has run this long is healthy: the next crash counts as the first.
success_threshold_ms = 10000

[projects.website.worker_command]
type = "Command"
argv = ["sh", "-c", "echo starts; sleep 2; echo 'Error: connect ECONNREFUSED 127.0.0.1:5432' >&2; exit 1"]

[projects.website.restart]
initial_backoff_ms = 40000

[projects.relay.worker_command]
type = "Command"
argv = ["sh", "-c", "echo 'Invalid API key. Fix external API key' >&2; exit 1"]

[projects.docs.worker_command]
type = "Command"
argv = ["sh", "-c", "n=0; while n=$((n+1)); do echo \\"turn $n: writes chapter $n\\"; sleep 2; done", "docs", "--model", "opus"]

[projects.nightly]
autostart = false
`

/** Starts both. Returns the link of the panel, and what ends everything and removes the home. */
export const startDemo = async ({ port = 0, withDaemon = true } = {}) => {
  const home = mkdtempSync(join(tmpdir(), "autopilotd-demo-"))
  const env = { ...process.env, AUTOPILOT_HOME: home }
  const output = openSync(join(home, "demo.log"), "a")
  writeFileSync(join(home, "daemon.toml"), settings, { mode: 0o600 })
  writeFileSync(join(home, "history.jsonl"), demoHistory("docs", Date.now()), { mode: 0o600 })
  writeFileSync(join(home, "samples"), demoSamples("docs", Date.now()), { mode: 0o600 })
  // In process groups of their own: Ctrl-C reaches this program only, which ends both in order.
  const options = { cwd: join(root, "examples"), env, detached: true }
  const startDaemon = () =>
    spawn(launcher, ["start", "--workdir", join(root, "examples")], {
      ...options,
      stdio: ["ignore", output, output]
    })
  if (withDaemon) startDaemon()
  const gui = spawn(launcher, ["gui", "--port", String(port)], { ...options, stdio: ["ignore", "pipe", 2] })
  const guiEnded = new Promise((resolve) => gui.once("exit", resolve))
  const link = await new Promise((resolve, reject) => {
    let text = ""
    gui.stdout.on("data", (data) => {
      text += data
      const found = /http:\S+/.exec(text)
      if (found) resolve(found[0])
    })
    gui.once("error", reject)
    gui.once("exit", (code) => reject(new Error(`autopilotd gui ended with code ${code}`)))
  })
  const run = (...args) => spawnSync(launcher, args, { env, stdio: "ignore" })
  let ending
  const stop = () => {
    ending ??= (async () => {
      gui.kill("SIGTERM")
      await guiEnded
      run("stop")
      rmSync(home, { recursive: true, force: true })
    })()
    return ending
  }
  return { link, run, gui, guiEnded, stop, startDaemon, home }
}
