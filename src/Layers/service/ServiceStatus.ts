import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { serviceStatus } from "../../Domain/service/ServiceStatus.ts"
import { ServiceMessage } from "../../Domain/systemd/ServiceMessage.ts"
import type { WorkerState } from "../../Domain/worker/WorkerState.ts"
import { nowAndAfterEach } from "../concurrency/Listeners.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { ServiceNotifier } from "../systemd/ServiceNotifier.ts"
import { Supervisor } from "../worker/Supervisor.ts"

/** The time in which an event takes effect on the state. */
const settling = Duration.millis(100)

/** The shortest time between two messages: each may start systemd-notify. */
const minInterval = Duration.seconds(1)

/** The phases that soon change. */
const passing: ReadonlySet<WorkerState["phase"]["_tag"]> = new Set(["Starting", "Stopping"] as const)

const make = Effect.gen(function* () {
  const notifier = yield* ServiceNotifier
  const supervisor = yield* Supervisor
  const events = yield* DaemonEvents
  const concerns = yield* Concerns
  if (notifier.channel === undefined) return
  let sent: string | undefined

  // A state may follow its event late, as on a slow disk, so workers that start or stop are looked at again.
  const sendStatus = Effect.gen(function* () {
    for (;;) {
      yield* Effect.sleep(settling)
      const snapshots = yield* supervisor.snapshots
      const text = serviceStatus(snapshots.map(({ plan, state }) => ({ project: plan.project, state })))
      const isPassing = snapshots.some(({ state: { phase } }) => passing.has(phase._tag))
      if (text === sent && !isPassing) return
      if (text !== sent) yield* notifier.send(ServiceMessage.Status({ text }))
      sent = text
      yield* Effect.sleep(minInterval)
    }
  })

  // Every change of a state publishes an event. Of several that wait, one is enough.
  yield* concerns.run("service status", nowAndAfterEach(events.listen, sendStatus))
})

/** Shows the workers' states in `systemctl status`, as the concern `service status`. */
export const layer: Layer.Layer<never, never, ServiceNotifier | Supervisor | DaemonEvents | Concerns> =
  Layer.scopedDiscard(make)
