import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { isStill } from "../../Domain/machine/ProcessEntry.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { ProcFs } from "../../Layers/machine/ProcFs.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { Refused } from "../Refused.ts"

/** Waits until the process is gone. A process that reuses its pid has another start time. */
const awaitEnd = Effect.fnUntraced(function* (pid: number) {
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

/** The original daemon does not report its pid: it is gone when no daemon listens. */
const awaitSilence = Effect.gen(function* () {
  const { request } = yield* ControlClient
  yield* request({ type: "Status" }).pipe(
    Effect.as(false),
    Effect.catchTag("NotRunning", () => Effect.succeed(true)),
    Effect.orElseSucceed(() => false),
    Effect.repeat({ schedule: Schedule.spaced("100 millis"), until: (isGone) => isGone })
  )
})

/**
 * Waits until the daemon is gone. Returns the processes that it could not kill, as its last record says; undefined without any, and without a history.
 * The modules of the history load while the daemon stops.
 */
const leftBehind = Effect.fnUntraced(function* (pid: number | undefined, askedMs: number) {
  const loading = yield* Effect.fork(Effect.promise(() => import("../../Layers/history/HistoryReader.ts")))
  yield* pid === undefined ? awaitSilence : awaitEnd(pid)
  const { HistoryReader, layer } = yield* Fiber.join(loading)
  const { records } = yield* Effect.flatMap(HistoryReader, ({ read }) => read({ sinceMs: askedMs })).pipe(
    Effect.provide(layer),
    Effect.catchTag("HistoryUnreadable", () => Effect.succeed({ records: [] }))
  )
  const stopped = records.findLast((record) => record._tag === "DaemonStopped" && record.at >= askedMs)
  return stopped?._tag === "DaemonStopped" && stopped.leftBehind.length > 0
    ? (stopped.why ?? `pid ${stopped.leftBehind.join(", ")}`)
    : undefined
})

/** `autopilotd stop`: returns when the daemon is gone, so that the next start succeeds. */
export const stop = Effect.fnUntraced(function* ({ options }: Invocation) {
  const { request } = yield* ControlClient
  const { out } = yield* CommandOutput
  const pid = (yield* request({ type: "Status" })).data?.daemon_pid
  const askedMs = yield* Clock.currentTimeMillis
  const reply = yield* request({ type: "Shutdown" })
  if (!reply.success) return yield* new Refused({ reason: reply.message, isTold: false })
  if (!options.noWait) {
    const left = yield* leftBehind(pid, askedMs)
    if (left !== undefined) {
      return yield* new Refused({
        reason: `The daemon has stopped, but left processes behind: ${left}.`,
        isTold: false
      })
    }
  }
  const message = options.noWait ? reply.message : "Daemon stopped"
  yield* out(options.json ? `${JSON.stringify({ success: true, message })}\n` : `${message}\n`)
})
