// What must hold whatever happens.
import * as fs from "node:fs"
import { join } from "node:path"
import { isSame, projects } from "./world.mjs"

/** At every moment: one leader for each project, nothing of an earlier run beside it, and no bystander dies. */
export const checkNow = (world) => {
  const leaders = world.leaders()
  for (const project of projects) {
    const own = leaders.filter((leader) => leader.project === project)
    // The list is no snapshot: only who is still alive after it was alive beside the others.
    const alive = own.filter(isSame)
    if (own.length > 1 && alive.length > 1) {
      world.report(`${project} has ${alive.length} workers: ${JSON.stringify(alive)}`)
    }
  }
  const [leader] = leaders.filter(({ project }) => project === "marked")
  const id = leader === undefined ? undefined : world.markOf(leader.pid)
  if (id !== undefined) {
    const earlier = world
      .processes()
      .map((found) => ({ ...found, mark: world.markOf(found.pid) }))
      .filter(
        ({ mark, pid }) =>
          mark !== undefined &&
          mark !== id &&
          mark.split(":")[1] === "marked" &&
          !world.bystanders.some((one) => one.pid === pid)
      )
    if (earlier.length > 0 && isSame(leader) && earlier.some(isSame)) {
      world.report(
        `beside the worker ${id} live processes of an earlier one: ${JSON.stringify(earlier.filter(isSame))}`
      )
    }
  }
  for (const one of world.bystanders)
    if (!isSame(one)) world.report(`a bystander was killed: ${JSON.stringify(one)}`)
}

/** When nothing happens any more: one daemon answers, and its status is the truth. */
export const checkQuiet = async (world) => {
  const answer = await world.until("one daemon answers and knows its workers", async () => {
    // A signal of a fault may stop the last daemon only now: on a busy machine its start takes longer than the fault.
    if (world.daemons().length === 0 && world.starts.size === 0) world.start()
    const said = await world.ask({ type: "Projects" })
    const rows = said?.data?.projects
    return Array.isArray(rows) && rows.length === projects.length && world.daemons().length === 1
      ? rows
      : undefined
  })
  if (answer === undefined) {
    world.report(
      `daemons: ${JSON.stringify(world.daemons())}, status: ${JSON.stringify(await world.ask({ type: "Projects" }))}`
    )
    return
  }
  for (const project of projects) {
    await world.until(`the status of ${project} is true`, async () => {
      const row = (await world.ask({ type: "Projects" }))?.data?.projects?.find(
        ({ name }) => name === project
      )
      const [leader, ...more] = world.leaders().filter((one) => one.project === project)
      if (row === undefined || more.length > 0) return false
      return row.worker_status === "running" ? leader?.pid === row.worker_pid : leader === undefined
    })
  }
}

const recordsOf = (path) => {
  try {
    return fs
      .readFileSync(path, "utf8")
      .split("\n")
      .flatMap((line) => {
        try {
          return [JSON.parse(line)]
        } catch {
          return []
        }
      })
  } catch {
    return []
  }
}

/** After the end: each start in the history has its end, unless its daemon was killed or its lines were damaged. */
export const checkHistory = (world) => {
  const records = [`history.jsonl.1`, `history.jsonl`].flatMap((name) => recordsOf(join(world.home, name)))
  for (const daemon of new Set(records.map((record) => record.daemon))) {
    const all = records.filter((record) => record.daemon === daemon)
    const isWhole = all.every(({ seq }, at) => at === 0 || seq === all[at - 1].seq + 1) && all[0]?.seq === 0
    if (!isWhole) continue
    for (const project of projects) {
      let running
      for (const record of all.filter((one) => one.project === project)) {
        if (record._tag === "WorkerStarted") {
          if (running !== undefined)
            world.report(
              `in the history of ${daemon}, ${project} starts as ${record.pid} before ${running} has ended`
            )
          running = record.pid
        }
        if (record._tag === "WorkerEnded") {
          if (running === undefined)
            world.report(`in the history of ${daemon}, ${project} ends without a start`)
          running = undefined
        }
      }
      if (running !== undefined && all.some(({ _tag }) => _tag === "DaemonStopped")) {
        world.report(`in the history of ${daemon}, ${project} with pid ${running} has no end`)
      }
    }
  }
}

/** After `stop`: nothing is left but this program and the bystanders. */
export const checkEnd = async (world, own) => {
  const stopped = await world.command("stop")
  if (stopped.code !== 0) world.report(`stop ended with ${stopped.code}: ${stopped.stderr}`)
  const known = new Set([...own, ...world.bystanders.map(({ pid }) => pid)])
  await world.until("nothing is left after stop", () => {
    const left = world.processes().filter(({ pid }) => !known.has(pid))
    if (left.length > 0) world.left = left
    return left.length === 0
  })
  if (world.problems.some((one) => one.includes("nothing is left")))
    world.report(`left after stop: ${JSON.stringify(world.left)}`)
  checkNow(world)
  checkHistory(world)
}
