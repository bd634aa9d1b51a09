// Does the daemon stay as it is through ten thousand restarts? Its memory, open files, tasks and files on disk.
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { install, launch, makeHome } from "./kit/Autopilotd.mjs"
import { median, option, printTable } from "./kit/Figures.mjs"
import { memoryOf } from "./kit/ProcessFigures.mjs"
import { eventually, session, sleep } from "./kit/Session.mjs"

const restarts = option("restarts", 10_000)
const rows = option("rows", 10)

/** What a daemon may grow between its first tenth, when V8 has settled, and its end. */
const allowedMib = 8
const allowedFiles = 4

const openFiles = (pid) => readdirSync(`/proc/${pid}/fd`).length
const tasks = (pid) => readdirSync(`/proc/${pid}/task`).length

const bytesBelow = (folder) =>
  readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sum + bytesBelow(path)
    return entry.isFile() ? sum + statSync(path).size : sum
  }, 0)

await session(restarts * 150 + 120_000, async (run) => {
  const home = makeHome(run, "home", { initial_backoff_ms: 0, max_backoff_ms: 0 })
  const worker = ["/bin/sh", "-c", "echo one line; echo another >&2; exit 1"]
  const daemon = launch(run, install(run), home, ["--", ...worker])
  const status = () => daemon.ask({ type: "Status" }).catch(() => undefined)
  await eventually("the daemon answers", status)
  const began = performance.now()
  const seen = []
  const look = (done) => {
    const { privateDirtyMib, rssMib } = memoryOf(daemon.pid)
    seen.push({ done, rssMib, privateDirtyMib, files: openFiles(daemon.pid), tasks: tasks(daemon.pid) })
  }
  for (;;) {
    const { data } = await daemon.ask({ type: "Status" })
    const done = data.total_restarts
    if (done >= (restarts / rows) * (seen.length + 1)) look(done)
    if (done >= restarts) break
    await sleep(20)
  }
  const tookMs = performance.now() - began
  const diskMib = bytesBelow(daemon.home) / 2 ** 20
  const { data } = await daemon.ask({ type: "StopWorker" })
  printTable(
    `Soak: ${restarts} restarts, ${(tookMs / seen.at(-1).done).toFixed(1)} ms each; ${diskMib.toFixed(1)} MiB on disk at the end, ${data.consecutive_failures} failures in a row.`,
    ["restarts", "RSS MiB", "private dirty MiB", "open files", "threads"],
    seen.map(({ done, files, privateDirtyMib, rssMib, tasks }) => [
      String(done),
      rssMib,
      privateDirtyMib,
      String(files),
      String(tasks)
    ])
  )
  const half = (part, key) => median(part.map((row) => row[key]))
  const early = seen.slice(1, Math.ceil(seen.length / 2))
  const late = seen.slice(Math.ceil(seen.length / 2))
  const grownMib = half(late, "privateDirtyMib") - half(early, "privateDirtyMib")
  const grownFiles = half(late, "files") - half(early, "files")
  console.log(
    `\nFrom the first half to the second: ${grownMib.toFixed(1)} MiB (allowed: ${allowedMib}), ${grownFiles} files (allowed: ${allowedFiles}).`
  )
  if (grownMib > allowedMib || grownFiles > allowedFiles) process.exitCode = 1
})
