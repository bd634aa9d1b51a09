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

/** Sends messages to the service manager. Does nothing without one, or without a channel to it. */
export class ServiceNotifier extends Context.Tag("ServiceNotifier")<
  ServiceNotifier,
  {
    /** Undefined without a manager. */
    readonly channel: ServiceChannel | undefined
    /** `WatchdogSec=` in milliseconds; undefined without a watchdog. */
    readonly watchdogMs: number | undefined
    /** Queues a message. Messages arrive in the order in which they were sent. Never waits. */
    readonly send: (message: ServiceMessage) => Effect.Effect<void>
  }
>() {}

class NotSent extends Data.TaggedError("NotSent")<{
  readonly reason: string
  /** The manager's queue is full: the message can be sent later. */
  readonly isForNow: boolean
}> {}

type Transmit = (text: string) => Effect.Effect<void, NotSent>

/** The interval of retries while the manager's queue is full. */
const retryInterval = Duration.millis(250)

const programLimit = Duration.seconds(5)

const notSent = (cause: unknown): NotSent => {
  const code = errorCode(cause)
  const isForNow = code === "EAGAIN" || code === "ENOBUFS"
  return new NotSent({ reason: messageOf(cause), isForNow })
}

/** Returns a writer to the descriptor; undefined when it must not be used. */
const byDescriptor = (descriptor: number): Transmit | undefined => {
  try {
    const flags = descriptorFlags(fs.readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1"))
    // A stale number may be any descriptor of Node's. A worker that inherits the socket could speak for the daemon.
    if (!fs.fstatSync(descriptor).isSocket() || flags?.isCloseOnExec !== true) return undefined
    if (flags.isNonBlocking) {
      return (text) => Effect.try({ try: () => void fs.writeSync(descriptor, text), catch: notSent })
    }
  } catch {
    return undefined
  }
  // A blocking write waits in the thread pool instead of the event loop.
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
          : new NotSent({ reason: `systemd-notify failed: ${stderr.trim()}`, isForNow: false })
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
    let isReported = false

    const reportOnce = Effect.fnUntraced(function* (reason: string) {
      if (isReported) return
      isReported = true
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
      if (failure === undefined) isReported = false
      else yield* reportOnce(failure.reason)
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

export const layerFor = (
  environment: ServiceEnvironment,
  pid: number
): Layer.Layer<ServiceNotifier, never, SystemdTools | DaemonEvents | Concerns> =>
  Layer.scoped(ServiceNotifier, make(environment, pid))

export const layer = layerFor(process.env, process.pid)
