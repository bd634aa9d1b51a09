import { spawn } from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import type { ServiceEnvironment } from "../../../src/Domain/systemd/ServiceChannel.ts"
import { ServiceMessage } from "../../../src/Domain/systemd/ServiceMessage.ts"
import * as Concerns from "../../../src/Layers/history/Concerns.ts"
import * as ServiceNotifier from "../../../src/Layers/systemd/ServiceNotifier.ts"
import { SystemdNotAsked, SystemdTools, type ToolAnswer } from "../../../src/Layers/systemd/SystemdTools.ts"
import { notifySocket, withDescriptor } from "../../fixtures/NotifySocket.ts"
import { recordedEvents } from "../../fixtures/RecordedEvents.ts"
import { scriptIn } from "../../fixtures/Script.ts"
import { eventually, temporaryHome } from "../../live/TestDaemon.ts"
import { settle } from "../worker/SupervisorWorld.ts"

/** Starts test/fixtures/service-notifier.ts below a command, with these variables. */
const service = Effect.fnUntraced(function* (
  rounds: number,
  environment: Readonly<Record<string, string>>,
  below: ReadonlyArray<string> = []
) {
  const script = yield* scriptIn(yield* temporaryHome, "service-notifier")
  const heard: Array<string> = []
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const [command = "", ...args] = [...below, process.execPath, script, String(rounds)]
      const started = spawn(command, args, {
        env: { ...process.env, ...environment },
        stdio: ["ignore", "inherit", "inherit", "ipc"]
      })
      started.on("message", (word) => heard.push(String(word)))
      return started
    }),
    (started) => Effect.sync(() => void started.kill("SIGKILL"))
  )
  const said = (word: string, times = 1) =>
    eventually(`${word} was said ${times} times`, () => heard.filter((one) => one === word).length >= times)
  return { heard, said, send: (word: string) => Effect.sync(() => void child.send(word)) }
})

/** A round as it arrives, its time left out. */
const round = (status: string) => ["RELOADING=1|MONOTONIC_USEC=", `STATUS=${status}`, "WATCHDOG=1", "READY=1"]

const timeless = (messages: ReadonlyArray<string>) =>
  messages.map((message) => message.replace(/(MONOTONIC_USEC=)[0-9]+$/, "$1"))

const steps = (messages: ReadonlyArray<string>) =>
  timeless(messages).filter((message) => !/^(STATUS|WATCHDOG)=/.test(message))

const stepsOf = (rounds: number) =>
  Array.from({ length: rounds }, () => ["RELOADING=1|MONOTONIC_USEC=", "READY=1"]).flat()

describe("messages through a descriptor", () => {
  it.scopedLive("arrive in the order in which they were sent", () =>
    Effect.gen(function* () {
      const socket = yield* notifySocket
      const { said, send } = yield* service(1, { NOTIFY_SOCKET: socket.path }, withDescriptor)
      yield* said("Descriptor")
      yield* send("good")
      const messages = yield* socket.once("the round", (all) => all.length >= 4)
      assert.deepStrictEqual(timeless(messages), round("good 0"))
      const micros = Number(/USEC=([0-9]+)/.exec(messages[0] ?? "")?.[1])
      const uptimeMicros = Number(process.hrtime.bigint() / 1000n)
      assert.isTrue(micros > 0 && micros <= uptimeMicros, "it is the monotonic clock of the kernel")
    })
  )

  for (const [kind, environment] of [
    ["that does not block", {}],
    ["that blocks", { IS_BLOCKING: "1" }]
  ] as const) {
    it.scopedLive(`${kind} wait while the manager does not read, block nothing, and lose no step`, () =>
      Effect.gen(function* () {
        const rounds = 300
        const socket = yield* notifySocket
        const { heard, said, send } = yield* service(
          rounds,
          { NOTIFY_SOCKET: socket.path, ...environment },
          withDescriptor
        )
        yield* said("Descriptor")
        yield* socket.pause
        // More than the kernel takes: the process answers all the same, twice.
        yield* send("first")
        yield* send("second")
        yield* said("sent", 2)
        yield* socket.goOn
        const messages = yield* socket.once("the last status", (all) =>
          all.includes(`STATUS=second ${rounds - 1}`)
        )
        const all = yield* socket.once("the end", () => socket.messages().at(-1) === "READY=1")
        assert.deepStrictEqual(steps(all), stepsOf(2 * rounds))
        assert.isBelow(messages.length, 8 * rounds, "a status that is superseded is not sent")
        assert.deepStrictEqual(heard, ["Descriptor", "sent", "sent"])
      })
    )
  }

  it.scopedLive("that the manager no longer reads are reported once, and the process keeps running", () =>
    Effect.gen(function* () {
      const socket = yield* notifySocket
      const { heard, said, send } = yield* service(2, { NOTIFY_SOCKET: socket.path }, withDescriptor)
      yield* said("Descriptor")
      yield* socket.close
      yield* send("first")
      yield* said("ServiceNotNotified")
      yield* send("second")
      yield* said("sent", 2)
      assert.deepStrictEqual(heard, ["Descriptor", "sent", "ServiceNotNotified", "sent"])
    })
  )

  it.scopedLive("are never written to a descriptor that is no socket", () =>
    Effect.gen(function* () {
      // Standard input, which is /dev/null here, and one that is not open.
      for (const descriptor of ["0", "250"]) {
        const { said } = yield* service(1, { AUTOPILOTD_NOTIFY_FD: descriptor, NOTIFY_SOCKET: "" })
        yield* said("none")
      }
    })
  )
})

/** A notifier whose programs are pretended, and what they were asked to send. */
const pretended = (environment: ServiceEnvironment) => {
  const sent: Array<string> = []
  const events: Array<DaemonEvent> = []
  let answer: Effect.Effect<ToolAnswer, SystemdNotAsked> = Effect.succeed({ code: 0, stdout: "", stderr: "" })
  const layer = ServiceNotifier.layerFor(environment, 4711).pipe(
    Layer.provide(
      Layer.succeed(SystemdTools, {
        run: (tool, args) =>
          Effect.zipRight(
            Effect.sync(() => sent.push(`${tool} ${args.join(" ")}`)),
            Effect.suspend(() => answer)
          )
      })
    ),
    Layer.provide(Concerns.layer),
    Layer.provide(recordedEvents(events))
  )
  return { sent, events, layer, answerWith: (next: typeof answer) => void (answer = next) }
}

const send = (...messages: ReadonlyArray<ServiceMessage>) =>
  Effect.flatMap(ServiceNotifier.ServiceNotifier, (notifier) =>
    Effect.forEach(messages, notifier.send, { discard: true })
  ).pipe(Effect.zipRight(settle))

describe("messages through systemd-notify", () => {
  it.effect("are sent one after the other, without those that were replaced meanwhile", () => {
    const { answerWith, events, layer, sent } = pretended({ NOTIFY_SOCKET: "/run/notify" })
    return Effect.gen(function* () {
      answerWith(Effect.delay(Effect.succeed({ code: 0, stdout: "", stderr: "" }), "20 millis"))
      yield* send(ServiceMessage.Ready())
      assert.deepStrictEqual(sent, ["systemd-notify READY=1"])
      yield* send(
        ServiceMessage.Status({ text: "a" }),
        ServiceMessage.Alive(),
        ServiceMessage.Status({ text: "b" }),
        ServiceMessage.Stopping()
      )
      assert.lengthOf(sent, 1)
      yield* TestClock.adjust(Duration.seconds(1))
      yield* settle
      assert.deepStrictEqual(sent, [
        "systemd-notify READY=1",
        "systemd-notify WATCHDOG=1",
        "systemd-notify STATUS=b",
        "systemd-notify STOPPING=1"
      ])
      assert.deepStrictEqual(events, [])
    }).pipe(Effect.provide(layer))
  })

  it.effect("that fail are reported once, and again after a success", () => {
    const { answerWith, events, layer } = pretended({ NOTIFY_SOCKET: "/run/notify" })
    const refused = Effect.succeed({ code: 1, stdout: "", stderr: "Failed to notify: refused\n" })
    return Effect.gen(function* () {
      answerWith(refused)
      yield* send(ServiceMessage.Ready())
      yield* send(ServiceMessage.Alive())
      const told = {
        _tag: "ServiceNotNotified",
        channel: "systemd-notify",
        reason: "systemd-notify failed: Failed to notify: refused"
      } as const
      assert.deepStrictEqual(events, [told])
      answerWith(Effect.succeed({ code: 0, stdout: "", stderr: "" }))
      yield* send(ServiceMessage.Alive())
      answerWith(new SystemdNotAsked({ tool: "systemd-notify", problem: "is not installed" }))
      yield* send(ServiceMessage.Alive())
      assert.deepStrictEqual(events, [told, { ...told, reason: "systemd-notify is not installed." }])
    }).pipe(Effect.provide(layer))
  })

  it.effect("are not sent without a manager, nor is there a watchdog", () => {
    const { layer, sent } = pretended({ WATCHDOG_USEC: "1000000" })
    return Effect.gen(function* () {
      const notifier = yield* ServiceNotifier.ServiceNotifier
      yield* send(ServiceMessage.Ready(), ServiceMessage.Status({ text: "a" }))
      assert.deepStrictEqual([notifier.channel, notifier.watchdogMs, sent], [undefined, undefined, []])
    }).pipe(Effect.provide(layer))
  })
})
