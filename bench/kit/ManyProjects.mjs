// Many sleeping workers under one autopilotd, and the same ones under a bare Node: begun, asked and ended alike.
import { once } from "node:events"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { exchange, launch, makeHome } from "./Autopilotd.mjs"
import { within } from "./Session.mjs"

const floorFolder = join(dirname(fileURLToPath(import.meta.url)), "../floor")

export const graceMs = 1000

/** What the floor answers when nobody has asked autopilotd yet. */
const noAnswer = "{}\n"

/** As long as names may be, and arguments that no answer has room for. */
const longWords = Array.from({ length: 60 }, (_, at) => `${at}`.padEnd(200, "-"))

const isThere = (pid) => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2))
  } catch {
    return false
  }
}

export const mustBeGone = (pids) => {
  const left = pids.filter(isThere)
  if (left.length > 0) throw new Error(`still there after the end: ${left.join(", ")}`)
}

/**
 * `count` workers that each say their pid on `pipe`, begun anew: `script` is worker.sh or stubborn.sh. Ready once the
 * last of them has spoken; `tookMs` is how long that was from the launch of their parent.
 */
const begun = async (pipe, count, spawned) => {
  const all = pipe.next(count)
  const askedMs = performance.now()
  const { child, socket } = spawned()
  const { atMs, pids } = await all
  const end = async (signal) => {
    const ended = within(60_000, "the end of the parent", once(child, "exit"))
    const endedMs = performance.now()
    child.kill(signal)
    await ended
    return performance.now() - endedMs
  }
  return {
    pid: child.pid,
    socket,
    pids,
    tookMs: atMs - askedMs,
    /** TERM to the parent; how long until it has ended, with nothing left of its workers. */
    stop: async () => {
      const tookMs = await end("SIGTERM")
      mustBeGone(pids)
      return tookMs
    },
    /** The parent alone: its workers are left. */
    kill: () => end("SIGKILL")
  }
}

/** Bare Node. Its answers are those that `learn` has kept of an autopilotd. */
export const bareNode = (run) => {
  const answers = join(run.folder, "answers")
  mkdirSync(answers)
  for (const name of ["Status", "Projects"]) writeFileSync(join(answers, name), noAnswer)
  let homes = 0
  return {
    learn: async (socket) => {
      for (const type of ["Status", "Projects"])
        writeFileSync(join(answers, type), await exchange(socket, JSON.stringify({ type })))
    },
    begin: ({ count, pipe, script }) => {
      const socket = join(run.folder, `floor${homes++}`)
      const command = [socket, answers, graceMs, count, join(floorFolder, script), pipe.path].map(String)
      return begun(pipe, count, () => ({
        child: run.start(process.execPath, [join(floorFolder, "projects.mjs"), ...command]),
        socket
      }))
    }
  }
}

/** autopilotd, in a new home each time, unless it is to take one up. */
export const autopilotd = (run, installed) => {
  let homes = 0
  return {
    begin: async ({ areLong = false, count, pipe, script, takesUp }) => {
      const projects = Array.from({ length: count }, (_, at) => ({
        name: areLong ? `project-${at}-`.padEnd(64, "x") : `project-${at}`,
        argv: [join(floorFolder, script), pipe.path, ...(areLong ? longWords : [])]
      }))
      const home = takesUp ?? makeHome(run, `home${homes++}`, { stop_grace_ms: graceMs }, projects)
      const args = takesUp === undefined ? [] : ["--keep-state"]
      const system = await begun(pipe, count, () => launch(run, installed, home, args))
      return { ...system, home }
    }
  }
}
