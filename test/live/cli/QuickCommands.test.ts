import * as fs from "node:fs"
import { dirname, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { listening } from "../../fixtures/OriginalDaemon.ts"
import { statusFields } from "../../fixtures/StatusFields.ts"
import { launcher, ownProcess, temporaryHome } from "../TestDaemon.ts"

/** A server on the socket of a home that gives the answers in their order, and hangs up without one. */
const answering = (home: string, answers: ReadonlyArray<unknown>) => {
  const asked: Array<unknown> = []
  return Effect.as(
    listening(join(home, "autopilotd.sock"), (socket) => {
      socket.once("data", (request) => {
        const answer = answers[asked.length]
        asked.push(JSON.parse(request.toString()))
        if (answer === undefined) return void socket.destroy()
        socket.end(typeof answer === "string" ? answer : `${JSON.stringify(answer)}\n`)
      })
    }),
    asked
  )
}

const status = (worker_status: string) => ({
  success: true,
  message: `Worker is ${worker_status}`,
  data: { ...statusFields, worker_status, worker_pid: null }
})

/** An installation without the whole program: whoever needs it fails. */
const quickOnly = Effect.map(temporaryHome, (folder) => {
  const root = dirname(dirname(launcher))
  for (const path of [
    "bin/autopilotd",
    "dist/autopilotd.js",
    "dist/help.js",
    "dist/history.js",
    "dist/logs.js",
    "dist/quick.js",
    "dist/status.js",
    "dist/package.json",
    "package.json"
  ]) {
    fs.mkdirSync(dirname(join(folder, path)), { recursive: true })
    fs.copyFileSync(join(root, path), join(folder, path))
  }
  return join(folder, "bin/autopilotd")
})

const talks = (home: string, args: ReadonlyArray<string>, command = launcher) =>
  ownProcess({ home, args, command })

describe("a command that only talks to the daemon", () => {
  it.scopedLive(
    "loads nothing but itself, follows the worker, and prints the same as the whole program",
    () =>
      Effect.gen(function* () {
        const quick = yield* quickOnly
        const home = yield* temporaryHome
        const moments = [{ success: true, message: "Stopping" }, status("stopping"), status("stopped")]
        const asked = yield* answering(home, moments)
        const stopped = yield* talks(home, ["stop-worker", "--project", "shop"], quick)
        assert.deepStrictEqual([stopped.code, stopped.stdout, stopped.stderr], [0, "Worker is stopped\n", ""])
        assert.deepStrictEqual(asked, [
          { type: "StopWorker", project: "shop" },
          { type: "Status", project: "shop" },
          { type: "Status", project: "shop" }
        ])
        const failed = yield* temporaryHome
        yield* answering(failed, [status("failed"), status("failed")])
        for (const args of [["status"], ["status", "--json"]]) {
          const told = yield* talks(failed, args, quick)
          assert.deepStrictEqual([told.code, told.stderr], [4, ""])
          assert.include(told.stdout, "failed")
        }
        for (const args of [["--version"], ["--help"], ["help", "status"]])
          assert.strictEqual((yield* talks(home, args, quick)).code, 0)
      })
  )

  it.scopedLive("reads the history without the whole program, in the same words", () =>
    Effect.gen(function* () {
      const quick = yield* quickOnly
      const home = yield* temporaryHome
      yield* answering(
        home,
        Array.from({ length: 4 }, () => status("failed"))
      )
      const head = { at: Date.now(), seq: 0, daemon: "a" }
      const events = [
        { ...head, _tag: "DaemonStarted", pid: 4000, version: "0.1.0", home },
        { ...head, seq: 1, _tag: "GaveUp", project: "default", failures: 10, reason: "exit code 1" }
      ]
      fs.writeFileSync(
        join(home, "history.jsonl"),
        events.map((event) => `${JSON.stringify(event)}\n`).join("")
      )
      for (const args of [["history"], ["history", "--json", "--since", "1h"], ["why"], ["why", "--json"]]) {
        const told = yield* talks(home, args, quick)
        assert.deepStrictEqual([told.code, told.stderr], [0, ""])
        assert.match(told.stdout, /exit code 1/)
      }
    })
  )

  it.scopedLive("shows logs without the whole program, and says what is wrong", () =>
    Effect.gen(function* () {
      const quick = yield* quickOnly
      const home = yield* temporaryHome
      fs.mkdirSync(join(home, "logs/shop"), { recursive: true })
      fs.writeFileSync(join(home, "logs/shop/worker.log"), "2026-11-22 10:00:00.000 out hello\n")
      const shown = yield* talks(home, ["logs", "--json"], quick)
      assert.deepStrictEqual([shown.code, shown.stderr], [0, ""])
      assert.include(JSON.parse(shown.stdout), { project: "shop", stream: "out", text: "hello" })
      const none = yield* talks(home, ["logs", "blog"], quick)
      assert.deepStrictEqual([none.code, none.stdout], [1, ""])
      assert.match(none.stderr, /^autopilotd: No worker of project "blog" has left a log yet\./)
      const asked = yield* talks(home, ["logs", "blog", "--json"], quick)
      assert.strictEqual(JSON.parse(asked.stdout).code, "no_log")
      const misused = yield* talks(home, ["logs", "--raw", "--text"], quick)
      assert.deepStrictEqual([misused.code, misused.stdout], [2, ""])
    })
  )

  it.scopedLive("asks nothing twice when the whole program takes over in the middle", () =>
    Effect.gen(function* () {
      const refusing = yield* temporaryHome
      const refused = yield* answering(refusing, [{ success: false, message: "There is no worker" }])
      const one = yield* talks(refusing, ["stop-worker"])
      assert.deepStrictEqual([one.code, one.stdout, one.stderr], [1, "", "autopilotd: There is no worker\n"])
      assert.lengthOf(refused, 1)

      const babbling = yield* temporaryHome
      const babbled = yield* answering(babbling, ['{"success":1}'])
      const two = yield* talks(babbling, ["restart-worker", "--json"])
      assert.strictEqual(two.code, 1)
      assert.match(JSON.parse(two.stdout).message, /cannot be understood: "/)
      assert.lengthOf(babbled, 1)

      const leaving = yield* temporaryHome
      const left = yield* answering(leaving, [
        { success: true, message: "Stopping" },
        status("stopping"),
        "{"
      ])
      const three = yield* talks(leaving, ["stop-worker"])
      assert.strictEqual(three.code, 1)
      assert.match(three.stderr, /ended before it was complete/)
      assert.deepStrictEqual(left, [{ type: "StopWorker" }, { type: "Status" }, { type: "Status" }])
    })
  )

  it.scopedLive("has the words and codes of the whole program without a daemon and without a home", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const none = yield* talks(home, ["status"])
      assert.strictEqual(none.code, 3)
      const why = yield* talks(home, ["why"])
      assert.deepStrictEqual([why.code, why.stderr], [0, ""])
      assert.match(why.stdout, /^No daemon is running, and the history/)
      const unknown = yield* talks(home, ["history", "--project", "shop"])
      assert.deepStrictEqual([unknown.code, unknown.stdout], [1, ""])
      assert.match(unknown.stderr, /^autopilotd: There is no project "shop" here\./)
      assert.include(none.stderr, "No daemon is listening on")
      const env = { HOME: "", AUTOPILOT_HOME: undefined }
      const homeless = yield* ownProcess({ home, args: ["status"], env })
      assert.strictEqual(homeless.code, 1)
      assert.include(homeless.stderr, "There is no home folder: HOME is empty.")
    })
  )
})
