// The history of a night, for the demo of the panel: what a real one has, one end of a run after the other.

const minute = 60_000
const gib = 2 ** 30

const crash = (says) => ({ kind: "crash", exit: { code: 1, signal: null }, says, tail: [says] })

/** Minutes that each run lasted, its verdict, and its peak of memory in GiB; the last one first. */
const night = [
  [41, { kind: "killed-by-us", reason: "restarted by command" }, 1.4],
  [96, crash("API Error: 500 Internal server error"), 2.1],
  [22, { kind: "done", turns: 118, costUsd: 6.42 }, 1.2],
  [134, { kind: "killed-by-other", signal: "SIGKILL" }, 3.4],
  [3, { kind: "native-crash", signal: "SIGSEGV" }, 0.4],
  [75, { kind: "stalled", quietMs: 20 * minute, limitMs: 20 * minute, tool: "Bash" }, 1.1],
  [58, { kind: "overloaded", says: "API Error: 529 overloaded_error", status: 529 }, 0.9],
  [171, { kind: "out-of-memory", by: "heap", says: "JavaScript heap out of memory" }, 4.2],
  [12, crash("the context no longer fits the window"), 0.6],
  [205, { kind: "done", turns: 431, costUsd: 41.07 }, 2.8]
]

/** The lines of history.jsonl, the oldest first, that end `agoMs` before `nowMs`. */
export const demoHistory = (project, nowMs, runs = 74) => {
  const daemon = "demo-night"
  const records = []
  let at = nowMs - 8 * minute
  for (let run = 0; run < runs; run++) {
    const [minutes, verdict, peak] = night[(run * 7 + (run % 3)) % night.length]
    const lasted = Math.round(minutes * minute * (0.6 + ((run * 37) % 50) / 60))
    const exit = verdict.exit ?? { code: null, signal: verdict.signal ?? "SIGTERM" }
    records.push({
      at,
      _tag: "WorkerEnded",
      project,
      verdict,
      exit,
      uptimeMs: lasted,
      peakMemoryBytes: Math.round(peak * gib)
    })
    at -= lasted + 4000
    records.push({
      at,
      _tag: "WorkerStarted",
      project,
      pid: 4000 + run,
      workerId: `demo.${run}`,
      command: ["claude"]
    })
  }
  const stopped = { at: nowMs - 7 * minute, _tag: "DaemonStopped", leftBehind: [] }
  return [...records.toReversed(), stopped]
    .map(({ at: time, ...event }, seq) => `${JSON.stringify({ at: time, seq, daemon, ...event })}\n`)
    .join("")
}
