import { execFileSync, spawn } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schedule from "effect/Schedule"
import { type Notification, NotificationKind, urgencyOf } from "../../../src/Domain/notify/Notification.ts"
import { utc } from "../../../src/Domain/text/LocalTime.ts"
import { sendTo } from "../../../src/Layers/notify/Sending.ts"
import { noProgram, unlessMissing } from "../../fixtures/Missing.ts"
import { temporaryFolder } from "../../fixtures/TemporaryFolder.ts"

const python = "/usr/bin/python3"

const noMock = ((): string | undefined => {
  try {
    execFileSync(python, ["-c", "import dbusmock"], { stdio: "ignore" })
    return undefined
  } catch {
    return "it needs python3-dbusmock (apt-get install python3-dbusmock)"
  }
})()

/** A program, and what it has printed; killed when the scope closes. */
const program = (command: string, args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(command, [...args], { stdio: ["ignore", "pipe", "ignore"] })
      let printed = ""
      child.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString("utf8")))
      return { child, printed: () => printed }
    }),
    ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
  )

const bus = "DBUS_SESSION_BUS_ADDRESS"

/** This process has the session bus of this address, or none. */
const withBus = (address: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = process.env[bus]
      process.env[bus] = address
      return before
    }),
    (before) =>
      Effect.sync(() => {
        if (before === undefined) delete process.env[bus]
        else process.env[bus] = before
      })
  )

/** A session bus of the test's own, which knows no program of this machine. Starts `service` to show notifications. */
const sessionBus = Effect.fnUntraced(function* (service?: string) {
  const folder = yield* temporaryFolder
  const name = "org.freedesktop.Notifications"
  if (service !== undefined)
    fs.writeFileSync(join(folder, `${name}.service`), `[D-BUS Service]\nName=${name}\nExec=${service}\n`)
  const config = join(folder, "bus.conf")
  fs.writeFileSync(
    config,
    `<busconfig><type>session</type><listen>unix:dir=${folder}</listen><servicedir>${folder}</servicedir>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy></busconfig>`
  )
  const daemon = yield* program("dbus-daemon", [`--config-file=${config}`, "--print-address=1", "--nofork"])
  return yield* Effect.suspend(() =>
    daemon.printed().includes("\n") ? Effect.succeed(daemon.printed().trim()) : Effect.fail("no bus yet")
  ).pipe(Effect.retry(Schedule.spaced("20 millis")))
})

const of = (kind: NotificationKind): Notification => ({
  id: kind,
  kind,
  project: "shop",
  urgency: urgencyOf[kind],
  title: `-u shop: ${kind}`,
  text: "<b>bold</b> & \u001b[31mred\nFix the cause",
  atMs: Date.now(),
  count: 1
})

const send = (kind: NotificationKind) =>
  sendTo({ type: "desktop" }, of(kind), utc).pipe(Effect.provide(NodeHttpClient.layer), Effect.either)

const levels = { low: 0, normal: 1, critical: 2 }

describe("a desktop", () => {
  unlessMissing(
    noProgram("dbus-daemon", "dbus"),
    noProgram("notify-send", "libnotify-bin"),
    noMock
  )("shows a notification of every kind, without its markup, and is waited for where there is none", () =>
    Effect.gen(function* () {
      yield* withBus("unix:path=/nonexistent/bus")
      const nobody = yield* send("crash")
      assert.strictEqual(Either.isLeft(nobody) ? nobody.left.next : "sent", "absent")

      for (const service of [undefined, "/bin/false"]) {
        yield* withBus(yield* sessionBus(service))
        const empty = yield* send("crash")
        assert.strictEqual(Either.isLeft(empty) ? empty.left.next : "sent", "absent", service)
      }

      yield* withBus(yield* sessionBus())
      const desktop = yield* program(python, ["-u", "-m", "dbusmock", "--template", "notification_daemon"])
      yield* Effect.suspend(() => Effect.flatMap(send("test"), (sent) => sent)).pipe(
        Effect.retry(Schedule.spaced("50 millis"))
      )
      const kinds = NotificationKind.literals.filter((kind) => kind !== "test")
      for (const kind of kinds) assert.isTrue(Either.isRight(yield* send(kind)), kind)
      const shown = yield* Effect.suspend(() => {
        const calls = desktop.printed().match(/Notify "[^]*? -1$/gm) ?? []
        return calls.length > kinds.length
          ? Effect.succeed(calls.slice(-kinds.length))
          : Effect.fail("not yet")
      }).pipe(Effect.retry(Schedule.spaced("20 millis")))
      for (const [at, kind] of kinds.entries()) {
        const call = shown[at] ?? ""
        assert.include(
          call,
          `Notify "autopilotd" 0 "" "-u shop: ${kind}" "&lt;b&gt;bold&lt;/b&gt; &amp; red\nFix the cause" []`
        )
        assert.include(call, `"urgency": ${levels[urgencyOf[kind]]}`)
        assert.include(call, '"x-canonical-private-synchronous": "shop"')
      }
    })
  )
})
