import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { notifySocket, withDescriptor } from "../../fixtures/NotifySocket.ts"
import { command, fixture, startDaemon } from "../TestDaemon.ts"

const timeless = (message: string): string => message.replace(/(MONOTONIC_USEC=)[0-9]+$/, "$1")

/** Messages of one kind come whenever they are due. */
const without = (messages: ReadonlyArray<string>, ...beginnings: ReadonlyArray<string>) =>
  messages.filter((message) => !beginnings.some((beginning) => message.startsWith(beginning)))

/** What the descriptors of a process lead to. */
const targetsOf = (pid: number): ReadonlyArray<string> =>
  fs.readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    try {
      return [fs.readlinkSync(`/proc/${pid}/fd/${name}`)]
    } catch {
      return [] // closed meanwhile
    }
  })

const hasSystemdNotify = (process.env["PATH"] ?? "")
  .split(":")
  .some((folder) => fs.existsSync(join(folder, "systemd-notify")))

const ways = [
  ["an open descriptor", { entrance: withDescriptor, isMissing: false }],
  ["systemd-notify", { entrance: undefined, isMissing: !hasSystemdNotify }]
] as const

for (const [way, { entrance, isMissing }] of ways) {
  describe.skipIf(isMissing)(
    `the messages to systemd by ${way}${isMissing ? " (it is not installed)" : ""}`,
    () => {
      it.scopedLive(
        "are readiness, the worker's state, reloads, watchdog resets and the stop, in this order",
        () =>
          Effect.gen(function* () {
            const socket = yield* notifySocket
            const daemon = yield* startDaemon({
              ...(entrance === undefined ? {} : { entrance }),
              // It takes its grace, so that each program has the time to say its word.
              settings: `worker_command = { type = "Command", argv = ["${fixture("ignores-term.sh")}"] }\nrestart = { stop_grace_ms = 1000 }\n`,
              env: { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: "600000", WATCHDOG_PID: undefined }
            })
            const { worker_pid } = yield* daemon.status("it runs", (data) => data.worker_status === "running")
            const begun = yield* socket.once("the state", (all) =>
              all.includes(`STATUS=running, pid ${worker_pid}`)
            )
            assert.strictEqual(without(begun, "WATCHDOG=1", "STATUS=")[0], "READY=1")
            yield* socket.once(
              "signs of life go on",
              (all) => all.filter((one) => one === "WATCHDOG=1").length > 3
            )

            const reload = Effect.map(command({ home: daemon.home, args: ["reload"] }), ({ code }) => code)
            assert.strictEqual(yield* reload, 0)
            fs.writeFileSync(join(daemon.home, "daemon.toml"), "nonsense = 1\n")
            assert.strictEqual(yield* reload, 1)
            const reloaded = yield* socket.once(
              "both reloads are over",
              (all) => all.filter((one) => one === "READY=1").length === 3
            )
            assert.deepStrictEqual(without(reloaded, "WATCHDOG=1", "STATUS=").map(timeless), [
              "READY=1",
              "RELOADING=1|MONOTONIC_USEC=",
              "READY=1",
              "RELOADING=1|MONOTONIC_USEC=",
              "READY=1"
            ])

            yield* daemon.ask({ type: "Shutdown" })
            yield* daemon.ended
            const ended = yield* socket.once("the end", (all) => all.includes("STOPPING=1"))
            assert.notInclude(daemon.stderr(), "systemd does not receive")
            assert.isAbove(ended.indexOf("STOPPING=1"), ended.lastIndexOf("READY=1"))
          })
      )

      it.scopedLive("extend the stop timeout while a worker takes its grace period", () =>
        Effect.gen(function* () {
          const socket = yield* notifySocket
          const daemon = yield* startDaemon({
            ...(entrance === undefined ? {} : { entrance }),
            settings: `worker_command = { type = "Command", argv = ["${fixture("ignores-term.sh")}"] }\nrestart = { stop_grace_ms = 600000 }\n`,
            env: { NOTIFY_SOCKET: socket.path }
          })
          yield* daemon.status("it runs", (data) => data.worker_status === "running")
          yield* daemon.ask({ type: "Shutdown" })
          const all = yield* socket.once(
            "it asks again",
            (messages) => messages.filter((one) => one.startsWith("EXTEND_TIMEOUT_USEC=")).length > 1
          )
          assert.deepStrictEqual(without(all, "STATUS="), [
            "READY=1",
            "STOPPING=1",
            "EXTEND_TIMEOUT_USEC=20000000",
            "EXTEND_TIMEOUT_USEC=20000000"
          ])
          yield* socket.once("it says so", (messages) =>
            messages.some((one) => one.startsWith("STATUS=stopping"))
          )
          // The second request leaves the worker no more time.
          yield* daemon.ask({ type: "Shutdown" })
          assert.strictEqual((yield* daemon.ended).code, 0)
        })
      )
    }
  )
}

describe("a worker of a service", () => {
  it.scopedLive("gets neither systemd's socket nor its variables", () =>
    Effect.gen(function* () {
      const socket = yield* notifySocket
      const daemon = yield* startDaemon({
        entrance: withDescriptor,
        worker: [fixture("sleeps.sh")],
        env: { NOTIFY_SOCKET: socket.path, SYSTEMD_EXEC_PID: "1", WATCHDOG_USEC: "60000000" }
      })
      const { worker_pid } = yield* daemon.status("it runs", (data) => data.worker_status === "running")
      const environment = fs.readFileSync(`/proc/${daemon.pid}/environ`, "latin1").split("\0")
      const entry = environment.find((one) => one.startsWith("AUTOPILOTD_NOTIFY_FD="))
      const descriptor = entry?.slice("AUTOPILOTD_NOTIFY_FD=".length)
      const way = fs.readlinkSync(`/proc/${daemon.pid}/fd/${descriptor}`)
      assert.match(way, /^socket:/)
      const workers = targetsOf(worker_pid ?? 0)
      assert.isNotEmpty(workers)
      assert.notInclude(workers, way)
      const given = fs.readFileSync(`/proc/${worker_pid}/environ`, "latin1").split("\0")
      assert.deepStrictEqual(
        given.filter((one) => /^(NOTIFY_|AUTOPILOTD_(?!SUPERVISED=)|WATCHDOG_|SYSTEMD_EXEC_PID)/.test(one)),
        []
      )
    })
  )
})
