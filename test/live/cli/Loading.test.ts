import * as fs from "node:fs"
import { basename, dirname, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { listening } from "../../fixtures/OriginalDaemon.ts"
import { statusFields } from "../../fixtures/StatusFields.ts"
import { launcher, ownProcess, temporaryHome } from "../TestDaemon.ts"

const bundle = join(dirname(dirname(launcher)), "dist/autopilotd.js")

/** Writes at the exit which modules of Node a process has loaded, which of its own files, and which streams it has made. */
const probe = `
const streams = []
for (const name of ["stdin", "stdout", "stderr"]) {
  const { get, ...how } = Object.getOwnPropertyDescriptor(process, name)
  Object.defineProperty(process, name, { ...how, get: () => (streams.push(name), get.call(process)) })
}
process.on("exit", () => {
  const { writeFileSync } = require("node:fs")
  const node = process.moduleLoadList.filter((one) => one.startsWith("NativeModule ")).map((one) => one.slice(13))
  writeFileSync(process.env.LOADED, JSON.stringify({ node, own: Object.keys(require.cache), streams }))
})
`

/** Writes at the exit which collections of its memory a process has made, and how long the timers were that it has awaited. */
const work = `
const { writeFileSync } = require("node:fs")
const { GCProfiler } = require("node:v8")
const profiler = new GCProfiler()
profiler.start()
const timers = []
const set = globalThis.setTimeout
globalThis.setTimeout = (run, ms, ...rest) => {
  const timer = set((...given) => { if (timer.hasRef()) timers.push(ms); run(...given) }, ms, ...rest)
  return timer
}
process.on("exit", () => {
  const collections = profiler.stop().statistics.map((one) => one.gcType)
  writeFileSync(process.env.LOADED, JSON.stringify({ collections, timers }))
})
`

interface Worked {
  readonly collections: ReadonlyArray<string>
  readonly timers: ReadonlyArray<number>
}

interface Loaded {
  readonly node: ReadonlyArray<string>
  readonly own: ReadonlyArray<string>
  readonly streams: ReadonlyArray<string>
}

const loadedBy = Effect.fnUntraced(function* (home: string, ...args: ReadonlyArray<string>) {
  const [require, report] = [join(home, "probe.cjs"), join(home, "loaded")]
  fs.writeFileSync(require, probe)
  const env = { LOADED: report }
  const ran = yield* ownProcess({ home, command: process.execPath, args: ["-r", require, ...args], env })
  assert.deepStrictEqual([ran.code, ran.stderr], [0, ""])
  const { node, own, streams }: Loaded = JSON.parse(fs.readFileSync(report, "utf8"))
  return { node, own: own.filter((path) => path !== require), streams }
})

const status = {
  success: true,
  message: "",
  data: { ...statusFields, worker_status: "stopped", worker_pid: null }
}

describe("a command", () => {
  it.scopedLive("loads no more of Node than it needs, and only its own bundle", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      fs.mkdirSync(join(home, "logs/default"), { recursive: true })
      fs.writeFileSync(join(home, "logs/default/worker.log"), "2026-11-22 10:00:00.000 out hello\n")
      const settings = '[worker_command]\ntype = "Command"\nargv = ["true"]\n'
      fs.writeFileSync(join(home, "daemon.toml"), settings, { mode: 0o600 })
      yield* listening(join(home, "autopilotd.sock"), (socket) => {
        socket.once("data", () => socket.end(`${JSON.stringify(status)}\n`))
      })
      const nothing = yield* loadedBy(home, "-e", "0")
      const client = `require("node:net").connect(${JSON.stringify(join(home, "autopilotd.sock"))}).end("{}").resume()`
      const talk = yield* loadedBy(home, "-e", client)
      // `os` finds the home.
      const files = [...nothing.node, "os", "fs/promises"]
      const talking = [...talk.node, "os"]
      const commands: ReadonlyArray<readonly [string, ReadonlyArray<string>, Array<string>, number]> = [
        ["--version", nothing.node, ["autopilotd.js"], 27_500],
        ["--help", nothing.node, ["autopilotd.js", "help.js"], 78_000],
        ["status", talking, ["autopilotd.js", "status.js"], 60_000],
        ["use shop", talking, ["autopilotd.js", "quick.js"], 63_500],
        ["logs", [...files, "vm"], ["autopilotd.js", "logs.js"], 95_000],
        ["history", files, ["autopilotd.js", "history.js"], 118_000],
        ["config check", [...talking, "fs/promises"], ["autopilotd.js", "settings.js"], 136_000],
        ["config get model", files, ["autopilotd.js", "settings.js"], 136_000],
        ["why", [...talking, "fs/promises"], ["autopilotd.js", "history.js"], 118_000]
      ]
      for (const [command, node, own, maxBytes] of commands) {
        const loaded = yield* loadedBy(home, bundle, ...command.split(" "))
        // Modules that only Node's own ones import, as internal/streams, come with them.
        const beyond = loaded.node.filter((one) => !node.includes(one) && !one.startsWith("internal/"))
        assert.deepStrictEqual(
          beyond.filter((one) => one !== "string_decoder"),
          [],
          command
        )
        assert.sameMembers(
          loaded.own.map((path) => basename(path)),
          own,
          command
        )
        // They read files after the answer, and meanwhile Node destroys the socket.
        assert.deepStrictEqual(
          loaded.streams,
          ["why", "config check"].includes(command) ? ["stderr"] : [],
          command
        )
        const bytes = loaded.own.reduce((sum, path) => sum + fs.statSync(path).size, 0)
        assert.isBelow(bytes, maxBytes, command)
      }
      const whole = yield* loadedBy(home, bundle, "config", "schema")
      assert.notInclude(
        whole.own.map((path) => basename(path)),
        "quick.js"
      )
    })
  )

  it.scopedLive(
    "that needs the whole program ends before V8 collects all of its memory, and waits for no timer",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        fs.mkdirSync(join(home, "autopilotd"), { mode: 0o700 })
        const [require, report] = [join(home, "work.cjs"), join(home, "worked")]
        fs.writeFileSync(require, work)
        const env = { LOADED: report, XDG_CACHE_HOME: home }
        const args = ["-r", require, bundle, "doctor"]
        // The second one has the compiled functions of the first, and with them most of what marking takes.
        for (const name of ["first", "second"]) {
          yield* ownProcess({ home, command: process.execPath, args, env })
          const { collections, timers }: Worked = JSON.parse(fs.readFileSync(report, "utf8"))
          assert.include(collections, "Scavenge", name)
          assert.notInclude(collections, "MarkSweepCompact", name)
          assert.deepStrictEqual(
            timers.filter((ms) => ms > 1),
            [],
            name
          )
        }
      })
  )
})
