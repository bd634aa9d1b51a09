// How many Status requests does the control socket answer, one connection each, and what does one cost? Alone; while 1,000
// others have connected and say nothing; and while a worker writes 50 MB a second.
import { spawnSync } from "node:child_process"
import { appendFileSync, readFileSync, writeFileSync } from "node:fs"
import { createConnection } from "node:net"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { exchange, install, startDaemon } from "./kit/Autopilotd.mjs"
import { median, option, printTable, quantile, ratio, short } from "./kit/Figures.mjs"
import { cpuMsOf } from "./kit/ProcessFigures.mjs"
import { eventually, session } from "./kit/Session.mjs"

const rounds = option("rounds", 7)
const requests = option("requests", 400)
const silentConnections = 1000
const floodMegabytes = 100
/** At 50 MB a second. */
const floodMs = 20 * floodMegabytes
const status = '{"type":"Status"}'
const floorFolder = join(dirname(fileURLToPath(import.meta.url)), "floor")

const openSilent = (path, count) =>
  Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise((done, reject) => {
          // Read, so that a refusal is seen to end it.
          const socket = createConnection({ path }, () => done(socket.resume()))
          socket.on("error", reject)
        })
    )
  )

const writtenBytesOf = (pid) => Number(/^wchar: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, "latin1"))[1])

/** Asks one request after the other, as long as `goesOn`, which gets the number of answers. */
const ask = async ({ path, pid, name }, goesOn = (answered) => answered < requests) => {
  const tookMs = []
  const cpuBeforeMs = cpuMsOf(pid)
  const startedMs = performance.now()
  while (goesOn(tookMs.length)) {
    const askedMs = performance.now()
    const answer = await exchange(path, status)
    tookMs.push(performance.now() - askedMs)
    if (answer.length === 0) throw new Error(`${name} gave no answer`)
  }
  const perSecond = (tookMs.length * 1000) / (performance.now() - startedMs)
  return { tookMs, perSecond, cpuUs: ((cpuMsOf(pid) - cpuBeforeMs) * 1000) / tookMs.length }
}

/** What a server has to bear meanwhile: runs the requests, and adds a note to what they have cost. */
const states = {
  alone: (system) => ask(system),
  silent: async (system) => {
    const silent = await openSilent(system.path, silentConnections)
    // Accepts come in their order: this answer means that all others are connected.
    await exchange(system.path, status)
    const asked = await ask(system)
    const note = silent.filter((socket) => !socket.destroyed && !socket.readableEnded).length
    for (const socket of silent) socket.destroy()
    return { ...asked, note }
  },
  flood: async (system, round) => {
    const [startedMs, before] = [performance.now(), writtenBytesOf(system.worker)]
    appendFileSync(system.orders, `steady ${round}\n`)
    const asked = await ask(system, () => performance.now() < startedMs + floodMs)
    const note = (writtenBytesOf(system.worker) - before) / 1e3 / (performance.now() - startedMs)
    // A flood that was held up is still going on: the next system has the machine for itself.
    await eventually("the end of the flood", () =>
      writtenBytesOf(system.worker) - before > floodMegabytes * 1e6 ? true : undefined
    )
    return { ...asked, note }
  }
}

const each = `${rounds} rounds of ${requests}, interleaved.`
const titles = {
  alone: [`Status on a new connection each, one client after the other: ${each}`],
  silent: [`The same beside ${silentConnections} connections that say nothing: ${each}`, "silent ones kept"],
  flood: [
    `The same while a worker writes 50 MB a second: ${rounds} rounds of ${floodMs / 1000} s, interleaved.`,
    "MB/s written"
  ]
}

await session(rounds * 60_000 + 120_000, async (run) => {
  const installed = install(run)
  const ordersOf = (name) => {
    const path = join(run.folder, name)
    if (spawnSync("mkfifo", ["-m", "600", path]).status !== 0) throw new Error(`mkfifo ${path} failed`)
    return path
  }
  const floodOf = (orders) => ["perl", join(floorFolder, "flood.pl"), orders, String(floodMegabytes)]

  const orders = ordersOf("orders")
  const [, ...flood] = floodOf(orders)
  const daemon = await startDaemon(run, installed, { name: "home", worker: ["/usr/bin/perl", ...flood] })
  const worker = (await daemon.ask({ type: "Status" })).data.worker_pid
  const answerFile = join(run.folder, "answer")
  writeFileSync(answerFile, await exchange(daemon.socket, status))
  const floorPath = join(run.folder, "floor.sock")
  const floorOrders = ordersOf("floor-orders")
  const floor = run.start(process.execPath, [
    join(floorFolder, "server.mjs"),
    floorPath,
    answerFile,
    ...floodOf(floorOrders)
  ])
  await eventually("the bare server answers", () => exchange(floorPath, status).catch(() => undefined))
  const [floorWorker] = readFileSync(`/proc/${floor.pid}/task/${floor.pid}/children`, "latin1").split(" ")

  const systems = [
    { name: "bare node:net", pid: floor.pid, path: floorPath, orders: floorOrders, worker: floorWorker },
    { name: "autopilotd", pid: daemon.pid, path: daemon.socket, orders, worker }
  ]
  const rows = Object.keys(states).flatMap((state) => systems.map((system) => ({ state, system, found: [] })))
  for (let round = -1; round < rounds; round++) {
    for (const { found, state, system } of rows) {
      const one = await states[state](system, round)
      if (round >= 0) found.push(one)
    }
  }

  for (const [state, [title, ...notes]] of Object.entries(titles)) {
    const inState = rows.filter((row) => row.state === state)
    const all = (row, key) => row.found.flatMap((one) => one[key])
    const middle = (row, key) => median(all(row, key))
    const [base] = inState
    printTable(
      title,
      ["", "requests/s", "/ floor", "p50 ms", "/ floor", "p99 ms", "cpu us/request", "/ floor", ...notes],
      inState.map((row) => [
        row.system.name,
        middle(row, "perSecond"),
        ratio(middle(row, "perSecond"), middle(base, "perSecond")),
        middle(row, "tookMs"),
        ratio(middle(row, "tookMs"), middle(base, "tookMs")),
        quantile(all(row, "tookMs"), 0.99),
        middle(row, "cpuUs"),
        ratio(middle(row, "cpuUs"), middle(base, "cpuUs")),
        ...notes.map(() => short(middle(row, "note")))
      ])
    )
    console.log()
  }
})
