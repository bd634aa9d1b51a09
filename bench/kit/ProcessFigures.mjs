// What the kernel says a process has cost.
import { readdirSync, readFileSync } from "node:fs"

const kibibytes = (text, key) => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? Number.NaN)

const threadsOf = (pid) => readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}`)

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0)

/** MiB: what is resident, the share of it that is fairly this process's, and what nobody else has. */
export const memoryOf = (pid) => {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1")
  return {
    rssMib: kibibytes(text, "Rss") / 1024,
    pssMib: kibibytes(text, "Pss") / 1024,
    privateDirtyMib: kibibytes(text, "Private_Dirty") / 1024
  }
}

/** Time on a core of all threads, in ms, to the nanosecond: the first field of schedstat. */
export const cpuMsOf = (pid) =>
  sum(threadsOf(pid).map((path) => Number(readFileSync(`${path}/schedstat`, "latin1").split(" ")[0]))) / 1e6

/** How often its threads have gone to sleep by themselves, which is how often something woke them. */
export const voluntarySwitchesOf = (pid) =>
  sum(
    threadsOf(pid).map((path) =>
      kibibytes(readFileSync(`${path}/status`, "latin1"), "voluntary_ctxt_switches")
    )
  )

/** How many processes there are on the machine. */
export const processCount = () => readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name)).length
