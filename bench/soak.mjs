// Does the daemon stay as it is through ten thousand restarts and a million requests? Its memory, open files, tasks and
// files on disk: after the first thousand of both and at the end, each time at rest, and at each tenth of the way.
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { exchange, install, launch, makeHome } from "./kit/Autopilotd.mjs"
import { option, printTable, short } from "./kit/Figures.mjs"
import { memoryOf } from "./kit/ProcessFigures.mjs"
import { eventually, session, sleep } from "./kit/Session.mjs"

const restarts = option("restarts", 10_000)
const requests = option("requests", 1_000_000)
const first = option("first", 1000)
const rows = option("rows", 10)

/** Requests under way at the same time. */
const clients = 4
const questions = ['{"type":"Status"}', '{"type":"Projects"}', '{"type":"GetMetrics"}', '{"type":"Metrics"}']

/** After this, V8 has collected what the work has left, and the files of the last scan of all processes are closed. */
const restMs = 40_000

/** The share by which the memory may have grown from the first rest to the last. */
const allowedGrowth = 0.1

const openFiles = (pid) => readdirSync(`/proc/${pid}/fd`).length
const tasks = (pid) => readdirSync(`/proc/${pid}/task`).length

const bytesBelow = (folder) =>
  readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sum + bytesBelow(path)
    return entry.isFile() ? sum + statSync(path).size : sum
  }, 0)

await session(restarts * 150 + requests * 3 + 240_000, async (run) => {
  const home = makeHome(run, "home", { initial_backoff_ms: 0, max_backoff_ms: 0 })
  const worker = ["/bin/sh", "-c", "echo one line; echo another >&2; exit 1"]
  const daemon = launch(run, install(run), home, ["--", ...worker])
  await eventually("the daemon answers", () => daemon.ask({ type: "Status" }).catch(() => undefined))
  const began = performance.now()
  const seen = []
  let [restarted, answered] = [0, 0]
  const look = (moment) => {
    const { privateDirtyMib, rssMib } = memoryOf(daemon.pid)
    const [files, threads] = [openFiles(daemon.pid), tasks(daemon.pid)]
    seen.push({ moment, restarted, answered, rssMib, privateDirtyMib, files, threads })
    return seen.at(-1)
  }

  /** Asks until there are so many answers. */
  const askUntil = async (wanted) => {
    while (answered < wanted) {
      const answer = await exchange(daemon.socket, questions[answered++ % questions.length])
      if (!answer.includes('"success":true')) throw new Error(`no success: ${answer}`)
    }
  }
  /** Follows the restarts until there are so many, and looks at each tenth of them. */
  const restartUntil = async (wanted) => {
    for (let due = restarted + wanted / rows; restarted < wanted; await sleep(20)) {
      restarted = (await daemon.ask({ type: "Status" })).data.total_restarts
      if (restarted < due) continue
      due = restarted + wanted / rows
      look("at work")
    }
    await daemon.ask({ type: "StopWorker" })
  }
  const work = async (wantedRestarts, wantedRequests) => {
    await daemon.ask({ type: "StartWorker" })
    const asking = Array.from({ length: clients }, () => askUntil(wantedRequests))
    await Promise.all([restartUntil(wantedRestarts), ...asking])
    await daemon.awaitStatus("stopped")
    await sleep(restMs)
    return look("at rest")
  }

  const early = await work(first, first)
  const late = await work(restarts, requests)
  const minutes = (performance.now() - began) / 60_000
  const diskMib = bytesBelow(daemon.home) / 2 ** 20
  printTable(
    `Soak: ${restarted} restarts and ${answered} requests in ${minutes.toFixed(1)} minutes; ${diskMib.toFixed(1)} MiB on disk at the end.`,
    ["", "restarts", "requests", "RSS MiB", "private dirty MiB", "open files", "threads"],
    seen.map((row) => [
      row.moment,
      String(row.restarted),
      String(row.answered),
      row.rssMib,
      row.privateDirtyMib,
      String(row.files),
      String(row.threads)
    ])
  )
  const growth = late.rssMib / early.rssMib - 1
  console.log(
    `\nFrom the first rest to the last: memory ${short(100 * growth)} % (allowed: ${100 * allowedGrowth} %), ${late.files - early.files} files (allowed: 0).`
  )
  if (growth > allowedGrowth || late.files !== early.files) process.exitCode = 1
})
