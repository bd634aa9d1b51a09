import * as Effect from "effect/Effect"
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

/** `autopilotd stop`: returns when the daemon is gone, so that the next start succeeds. */
export const stop = Effect.fnUntraced(function* ({ options }: Invocation) {
  const { request } = yield* ControlClient
  const { out } = yield* CommandOutput
  const pid = (yield* request({ type: "Status" })).data?.daemon_pid
  const reply = yield* request({ type: "Shutdown" })
  if (!reply.success) return yield* new Refused({ reason: reply.message, isTold: false })
  if (!options.noWait) yield* pid === undefined ? awaitSilence : awaitEnd(pid)
  const message = options.noWait ? reply.message : "Daemon stopped"
  yield* out(options.json ? `${JSON.stringify({ success: true, message })}\n` : `${message}\n`)
})
