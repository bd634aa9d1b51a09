import * as fs from "node:fs"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  descriptorFlags,
  type ServiceChannel,
  type ServiceEnvironment,
  serviceChannels,
  watchdogMs
} from "../../Domain/systemd/ServiceChannel.ts"
import { alsoWaiting, messageText, type ServiceMessage } from "../../Domain/systemd/ServiceMessage.ts"
import { errorCode, messageOf } from "../files/SystemError.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { SystemdTools } from "./SystemdTools.ts"

/** Tells the service manager how the daemon does. Where there is none, or no way to it, all this does nothing. */
export class ServiceNotifier extends Context.Tag("ServiceNotifier")<
  ServiceNotifier,
  {
    /** The way that messages take; undefined when nobody is to be told. */
    readonly channel: ServiceChannel | undefined
    /** How often the manager wants a sign of life at least; undefined when it does not. */
    readonly watchdogMs: number | undefined
    /** Messages arrive in the order in which they were sent. Waits for nobody. */
    readonly send: (message: ServiceMessage) => Effect.Effect<void>
  }
>() {}

/** A message did not get through. */
class NotSent extends Data.TaggedError("NotSent")<{
  readonly reason: string
  /** The manager has too much to read at the moment. */
  readonly isForNow: boolean
}> {}

type Transmit = (text: string) => Effect.Effect<void, NotSent>

/** A manager that has too much to read is tried again this often. */
const retryInterval = Duration.millis(250)

const programLimit = Duration.seconds(5)

const notSent = (cause: unknown): NotSent => {
  const code = errorCode(cause)
  const isForNow = code === "EAGAIN" || code === "ENOBUFS"
  return new NotSent({ reason: messageOf(cause), isForNow })
}

/** How a descriptor is written to; undefined when it is not to be touched. */
const byDescriptor = (descriptor: number): Transmit | undefined => {
  try {
    const flags = descriptorFlags(fs.readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1"))
    // A number that has gone astray may be anything of Node's own. And with a socket that a worker inherits it could
    // speak for the daemon.
    if (!fs.fstatSync(descriptor).isSocket() || flags?.isCloseOnExec !== true) return undefined
    if (flags.isNonBlocking) {
      return (text) => Effect.try({ try: () => void fs.writeSync(descriptor, text), catch: notSent })
    }
  } catch {
    return undefined
  }
  // Where the manager does not read, a thread waits instead of the daemon.
  return (text) =>
    Effect.async((resume) =>
      fs.write(descriptor, text, (cause) =>
        resume(cause === null ? Effect.void : Effect.fail(notSent(cause)))
      )
    )
}

const byProgram =
  ({ run }: Context.Tag.Service<SystemdTools>): Transmit =>
  (text) =>
    run("systemd-notify", text.split("\n"), programLimit).pipe(
      Effect.mapError(({ message }) => new NotSent({ reason: message, isForNow: false })),
      Effect.flatMap(({ code, stderr }) =>
        code === 0
          ? Effect.void
          : new NotSent({ reason: `systemd-notify has failed: ${stderr.trim()}`, isForNow: false })
      )
    )

const monotonicMicros = (): bigint => process.hrtime.bigint() / 1000n

const silent = ServiceNotifier.of({ channel: undefined, watchdogMs: undefined, send: () => Effect.void })

const make = (environment: ServiceEnvironment, pid: number) =>
  Effect.gen(function* () {
    const tools = yield* SystemdTools
    const events = yield* DaemonEvents
    const concerns = yield* Concerns
    const [found] = serviceChannels(environment, pid).flatMap((channel) => {
      const transmit = channel._tag === "Descriptor" ? byDescriptor(channel.descriptor) : byProgram(tools)
      return transmit === undefined ? [] : [{ channel, transmit }]
    })
    if (found === undefined) return silent
    const { channel, transmit } = found
    const isWanted = yield* Effect.makeLatch(false)
    let waiting: ReadonlyArray<{ readonly message: ServiceMessage; readonly text: string }> = []
    let isTold = false

    const tellOnce = Effect.fnUntraced(function* (reason: string) {
      if (isTold) return
      isTold = true
      const name = channel._tag === "Descriptor" ? `descriptor ${channel.descriptor}` : "systemd-notify"
      yield* events.publish({ _tag: "ServiceNotNotified", channel: name, reason })
    })

    const sendNext = Effect.fnUntraced(function* (next: (typeof waiting)[number]) {
      const failure = yield* Effect.match(transmit(next.text), {
        onFailure: (error) => error,
        onSuccess: () => undefined
      })
      if (failure?.isForNow === true) return yield* Effect.sleep(retryInterval)
      waiting = waiting.filter((one) => one !== next)
      if (failure === undefined) isTold = false
      else yield* tellOnce(failure.reason)
    })

    const sendAll = Effect.gen(function* () {
      yield* isWanted.open
      for (;;) {
        yield* isWanted.await
        yield* isWanted.close
        for (let [next] = waiting; next !== undefined; [next] = waiting) yield* sendNext(next)
      }
    })
    yield* concerns.run("service notifier", sendAll)

    return ServiceNotifier.of({
      channel,
      watchdogMs: watchdogMs(environment, pid),
      send: (message) =>
        Effect.suspend(() => {
          waiting = alsoWaiting(waiting, { message, text: messageText(message, monotonicMicros()) })
          return Effect.asVoid(isWanted.open)
        })
    })
  })

/** For a process that was started with this environment. */
export const layerFor = (
  environment: ServiceEnvironment,
  pid: number
): Layer.Layer<ServiceNotifier, never, SystemdTools | DaemonEvents | Concerns> =>
  Layer.scoped(ServiceNotifier, make(environment, pid))

export const layer = Layer.suspend(() => layerFor(process.env, process.pid))
