// How many Status requests does the control socket answer, one connection each, and what does one cost? Alone, and
// while 200 others have connected and say nothing.
import { writeFileSync } from "node:fs"
import { createConnection } from "node:net"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { exchange, install, startDaemon } from "./kit/Autopilotd.mjs"
import { median, option, printTable, quantile, ratio } from "./kit/Figures.mjs"
import { cpuMsOf } from "./kit/ProcessFigures.mjs"
import { eventually, session } from "./kit/Session.mjs"

const rounds = option("rounds", 7)
const requests = option("requests", 400)
const silentConnections = 200
const status = '{"type":"Status"}'
const floorFolder = join(dirname(fileURLToPath(import.meta.url)), "floor")

const openSilent = (path, count) =>
  Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise((done, reject) => {
          const socket = createConnection({ path }, () => done(socket))
          socket.on("error", reject)
        })
    )
  )

await session(rounds * 60_000 + 120_000, async (run) => {
  const worker = join(floorFolder, "worker.sh")
  const daemon = await startDaemon(run, install(run), { name: "home", worker: [worker, ""] })
  const answerFile = join(run.folder, "answer")
  writeFileSync(answerFile, await exchange(daemon.socket, status))
  const floorPath = join(run.folder, "floor.sock")
  const floor = run.start(process.execPath, [join(floorFolder, "server.mjs"), floorPath, answerFile])
  await eventually("the bare server answers", () => exchange(floorPath, status).catch(() => undefined))

  const systems = [0, silentConnections].flatMap((silent) =>
    [
      ["bare node:net", floor.pid, floorPath],
      ["autopilotd", daemon.pid, daemon.socket]
    ].map(([name, pid, path]) => ({
      name,
      pid,
      path,
      silent,
      tookMs: [],
      perSecond: [],
      cpuUs: [],
      left: []
    }))
  )
  for (let round = -1; round < rounds; round++) {
    for (const system of systems) {
      const silent = await openSilent(system.path, system.silent)
      const cpuBeforeMs = cpuMsOf(system.pid)
      const startedMs = performance.now()
      const tookMs = []
      for (let n = 0; n < requests; n++) {
        const askedMs = performance.now()
        const answer = await exchange(system.path, status)
        tookMs.push(performance.now() - askedMs)
        if (answer.length === 0) throw new Error(`${system.name} gave no answer`)
      }
      const seconds = (performance.now() - startedMs) / 1000
      const cpuMs = cpuMsOf(system.pid) - cpuBeforeMs
      const left = silent.filter((socket) => !socket.destroyed && !socket.readableEnded).length
      for (const socket of silent) socket.destroy()
      if (round < 0) continue
      system.tookMs.push(...tookMs)
      system.perSecond.push(requests / seconds)
      system.cpuUs.push((cpuMs * 1000) / requests)
      system.left.push(left)
    }
  }

  printTable(
    `Status on a new connection each, one client after the other: ${rounds} rounds of ${requests}, interleaved.`,
    ["", "requests/s", "/ floor", "p50 ms", "p99 ms", "cpu us/request", "/ floor", "silent ones kept"],
    systems.map(({ cpuUs, left, name, perSecond, silent, tookMs }) => {
      const base = systems.find((system) => system.silent === silent)
      return [
        silent === 0 ? name : `${name}, ${silent} silent`,
        median(perSecond),
        ratio(median(perSecond), median(base.perSecond)),
        median(tookMs),
        quantile(tookMs, 0.99),
        median(cpuUs),
        ratio(median(cpuUs), median(base.cpuUs)),
        silent === 0 ? "-" : String(Math.min(...left))
      ]
    })
  )
})
