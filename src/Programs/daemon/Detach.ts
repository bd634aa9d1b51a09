import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { canonicalArgv, type Invocation } from "../../Domain/cli/CommandLine.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { AutopilotHome } from "../../Layers/daemon/AutopilotHome.ts"
import { BackgroundStart } from "../../Layers/daemon/BackgroundStart.ts"
import { isService, startAsService } from "../service/ServiceStart.ts"
import { firstState } from "./FirstState.ts"
import { sayStarted } from "./Started.ts"

/** Waits until the started daemon, and no other one, answers. */
const awaitAnswer = Effect.fnUntraced(function* (pid: number) {
  const { request } = yield* ControlClient
  yield* request({ type: "Status" }).pipe(
    Effect.map((reply) => reply.data?.daemon_pid === pid),
    Effect.orElseSucceed(() => false),
    Effect.repeat({ schedule: Schedule.spaced("30 millis"), until: (isThere) => isThere })
  )
})

/** Starts the daemon in a session of its own. Returns when it answers, or fails with its first error. */
const startInBackground = Effect.fnUntraced(function* (invocation: Invocation) {
  const { logDir } = yield* AutopilotHome
  const { detach: _, json: __, ...options } = invocation.options
  const background = yield* BackgroundStart
  const { ended, pid } = yield* background.start(canonicalArgv({ ...invocation, options }))
  const first = yield* Effect.raceFirst(Effect.zipRight(awaitAnswer(pid), firstState()), ended)
  yield* sayStarted(invocation, {
    head: `autopilotd started in the background, pid ${pid}.`,
    json: { pid, log: `${logDir}/autopilotd.log` },
    first
  })
}, Effect.scoped)

/** `autopilotd start --detach`: starts the daemon in the background, through systemd where it is a service. */
export const detach = Effect.fnUntraced(function* (invocation: Invocation) {
  yield* (yield* isService) ? startAsService(invocation) : startInBackground(invocation)
})
