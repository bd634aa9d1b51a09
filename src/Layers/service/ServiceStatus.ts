import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { serviceStatus } from "../../Domain/service/ServiceStatus.ts"
import { ServiceMessage } from "../../Domain/systemd/ServiceMessage.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { ServiceNotifier } from "../systemd/ServiceNotifier.ts"
import { Supervisor } from "../worker/Supervisor.ts"

/** What follows from an event has then happened, too. */
const settling = Duration.millis(100)

/** Changes that come faster are told together: each may cost the start of a program. */
const pause = Duration.seconds(1)

const make = Effect.gen(function* () {
  const notifier = yield* ServiceNotifier
  const supervisor = yield* Supervisor
  const events = yield* DaemonEvents
  const concerns = yield* Concerns
  if (notifier.channel === undefined) return
  let told: string | undefined

  const tell = Effect.gen(function* () {
    yield* Effect.sleep(settling)
    const snapshots = yield* supervisor.snapshots
    const text = serviceStatus(snapshots.map(({ plan, state }) => ({ project: plan.project, state })))
    if (text === told) return
    told = text
    yield* notifier.send(ServiceMessage.Status({ text }))
    yield* Effect.sleep(pause)
  })

  // Every change of a state is told as an event; when there are many, the newest stands for all.
  const reasons = Stream.merge(Stream.succeed("the beginning"), events.changes).pipe(
    Stream.buffer({ capacity: 1, strategy: "sliding" })
  )
  yield* concerns.run(
    "service status",
    Stream.runForEach(reasons, () => tell)
  )
})

/** Shows in `systemctl status` how the workers do, as a concern of its own. */
export const layer: Layer.Layer<never, never, ServiceNotifier | Supervisor | DaemonEvents | Concerns> =
  Layer.scopedDiscard(make)
