// One run of a benchmark: a folder and processes of its own, a limit in time, and nothing left behind at its end.
import { spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** The environment of this shell, for npm. */
export const shellEnvironment = { ...process.env }

// What steers Node would slow the floors down, and not what the launcher starts: certificates take as long as Node itself.
for (const name of ["NODE_OPTIONS", "NODE_EXTRA_CA_CERTS"]) delete process.env[name]

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms))

/** Rejects with `what` when `promise` has not settled after `limitMs`. */
export const within = async (limitMs, what, promise) => {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${limitMs} ms: ${what}`)), limitMs)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** Waits until `look` returns something else than undefined. */
export const eventually = async (what, look, limitMs = 30_000) => {
  const untilMs = performance.now() + limitMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > untilMs) throw new Error(`never came about: ${what}`)
    await sleep(20)
  }
}

/** Signals a process or, with a negative pid, a group. One that has ended by itself is fine. */
export const signal = (pid, name) => {
  try {
    process.kill(pid, name)
  } catch (cause) {
    if (cause.code !== "ESRCH") throw cause
  }
}

/** TERM, a wait, KILL: for a child of ours. */
export const endChild = async (child, graceMs = 5000) => {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((done) => child.once("exit", done))
  child.kill("SIGTERM")
  await within(graceMs, "the end", ended).catch(() => {
    child.kill("SIGKILL")
    return ended
  })
}

/** Everything that a session starts has the session's folder in its environment, under this name. */
const mark = "AUTOPILOTD_BENCH"

/** Ends what is still there of a session, such as the worker of a daemon that had to be killed, and tells. */
const endRest = (folder) => {
  for (const pid of readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name))) {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0")
      if (!environment.includes(`${mark}=${folder}`)) continue
    } catch {
      continue // gone meanwhile, or another user's
    }
    console.error(`process ${pid} was left and is killed`)
    signal(Number(pid), "SIGKILL")
  }
}

/**
 * Runs `work` with a session; afterwards, whatever has happened, everything it has registered is undone, the last
 * first. The process then exits: 0, or 1 with the reason on standard error.
 */
export const session = async (limitMs, work) => {
  // Short, for a socket's path has at most 107 bytes.
  const folder = mkdtempSync(join(tmpdir(), "apb-"))
  process.env[mark] = folder
  const undo = [() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }), () => endRest(folder)]
  const atEnd = (act) => void undo.push(act)
  const start = (command, args, options = {}) => {
    const child = spawn(command, args, { stdio: "ignore", cwd: folder, ...options })
    child.once("error", (cause) => console.error(`${command}: ${cause.message}`))
    atEnd(() => endChild(child))
    return child
  }
  const asked = new Promise((_, reject) => {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
      process.once(name, () => reject(new Error(`ended by ${name}`)))
    }
  })
  let code = 0
  try {
    await within(limitMs, "the whole benchmark", Promise.race([work({ folder, start, atEnd }), asked]))
  } catch (cause) {
    code = 1
    console.error(cause)
  }
  for (const act of undo.toReversed()) {
    try {
      await act()
    } catch (cause) {
      code = 1
      console.error(cause)
    }
  }
  process.exit(code)
}
