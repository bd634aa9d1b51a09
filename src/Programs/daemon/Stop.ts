import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { knownCode } from "../../Domain/control/ErrorCode.ts"
import { isStill } from "../../Domain/machine/ProcessEntry.ts"
import type { StatusReply } from "../../Domain/status/StatusData.ts"
import { processes } from "../../Domain/text/Amounts.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { AutopilotHome } from "../../Layers/daemon/AutopilotHome.ts"
import { isLockFree, lockOwner } from "../../Layers/daemon/InstanceLock.ts"
import { HistoryReader } from "../../Layers/history/HistoryReader.ts"
import { ProcFs } from "../../Layers/machine/ProcFs.ts"
import { HomeSurvivors } from "../../Layers/tree/HomeSurvivors.ts"
import { sayDone } from "../Answer.ts"
import { Refused } from "../Refused.ts"

/** Waits until the process is gone. A process that reuses its pid has another start time. */
const awaitProcess = Effect.fnUntraced(function* (pid: number) {
  const proc = yield* ProcFs
  const before = yield* proc.process(pid)
  if (before === undefined) return
  yield* proc.process(pid).pipe(
    Effect.repeat({
      schedule: Schedule.spaced("20 millis"),
      until: (now) => !isStill(before, now)
    })
  )
})

const isAnswered = Effect.flatMap(ControlClient, ({ request }) =>
  Effect.isSuccess(request({ type: "Status" }))
)

/** Whether the daemon that answered `before` answers no more, though another one may. */
const isSilent = Effect.fnUntraced(function* (before: StatusReply | undefined) {
  const { request } = yield* ControlClient
  return yield* request({ type: "Status" }).pipe(
    Effect.map(({ data }) => {
      const uptime = before?.daemon_uptime_seconds
      const isYounger = uptime !== undefined && (data?.daemon_uptime_seconds ?? uptime) < uptime
      return data?.daemon_pid !== before?.daemon_pid || isYounger
    }),
    Effect.catchTag("NotRunning", () => Effect.succeed(true)),
    Effect.orElseSucceed(() => false)
  )
})

/**
 * Waits until the daemon does not listen and the lock is free, or another daemon answers. A pid says nothing here: the
 * daemon may live in another PID namespace, where the same number is another process. The original daemon has no lock.
 */
const awaitEnd = Effect.fnUntraced(function* (before: StatusReply | undefined) {
  const home = yield* AutopilotHome
  const hasLock = before?.daemon_pid !== undefined
  const isOver = Effect.gen(function* () {
    if (!(yield* isSilent(before))) return false
    return !hasLock || (yield* isLockFree(home)) || (yield* isAnswered)
  })
  yield* Effect.repeat(isOver, { schedule: Schedule.spaced("50 millis"), until: (over) => over })
})

/** The processes that the daemon could not kill: what it has recorded, and what is alive in this PID namespace. */
const leftBehind = Effect.fnUntraced(function* (sinceMs: number) {
  const { read } = yield* HistoryReader
  const { workerPids } = yield* HomeSurvivors
  const { records } = yield* Effect.orElseSucceed(read({ sinceMs }), () => ({ records: [] }))
  const stopped = records.findLast((record) => record._tag === "DaemonStopped")
  const recorded = stopped?._tag === "DaemonStopped" ? stopped : undefined
  // Another daemon that has started since has workers of its own.
  const seen = (yield* isAnswered) ? [] : yield* workerPids
  const pids = [...new Set([...(recorded?.leftBehind ?? []), ...seen])]
  return { pids, why: recorded?.why }
})

/** The refusal of `stop` when processes are still alive. */
export const stillAlive = (what: string, pids: ReadonlyArray<number>, why?: string) =>
  new Refused({
    reason: `${what}, but left ${processes(pids)} of its workers behind${why === undefined ? "" : `: ${why}`}. No worker starts before they are gone.`,
    code: "processes_left"
  })

/**
 * `autopilotd stop`: returns when the daemon and all its workers are gone, so that the next start succeeds. Fails with
 * NotRunning without a daemon; `StopSurvivors` then stops what it has left.
 */
export const stop = Effect.fnUntraced(function* (invocation: Invocation) {
  const { options } = invocation
  const { request } = yield* ControlClient
  const home = yield* AutopilotHome
  const report = (message: string) => sayDone(invocation, { message }, `${message}\n`)
  const before = (yield* request({ type: "Status" })).data ?? undefined
  const beganMs = yield* Clock.currentTimeMillis
  // A process that has the lock open is the daemon; elsewhere its pid may be another process.
  const owner = yield* lockOwner(home)
  const reply = yield* request({ type: "Shutdown" })
  // The daemon closes its socket: it stops already.
  if (!reply.success && reply.code !== "no_daemon")
    return yield* new Refused({ reason: reply.message, code: knownCode(reply.code) })
  if (options.noWait) return yield* report(reply.message)
  const isHere = owner !== undefined && owner === before?.daemon_pid
  yield* isHere ? awaitProcess(owner) : awaitEnd(before)
  const left = yield* leftBehind(beganMs)
  if (left.pids.length > 0) return yield* stillAlive("The daemon stopped", left.pids, left.why)
  yield* report("Daemon stopped")
})
