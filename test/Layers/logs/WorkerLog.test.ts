import { once } from "node:events"
import { PassThrough } from "node:stream"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { countLines, prefixed } from "../../../src/Domain/output/Lines.ts"
import { unnamed } from "../../../src/Domain/Project.ts"
import type { EffectiveSettings } from "../../../src/Domain/settings/EffectiveSettings.ts"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import * as Concerns from "../../../src/Layers/history/Concerns.ts"
import { WorkerEcho } from "../../../src/Layers/logs/WorkerEcho.ts"
import * as WorkerLines from "../../../src/Layers/logs/WorkerLines.ts"
import * as WorkerLog from "../../../src/Layers/logs/WorkerLog.ts"
import { RotatingFiles } from "../../../src/Layers/output/RotatingFile.ts"
import { SettingsInForce } from "../../../src/Layers/settings/SettingsInForce.ts"
import { turnOfTheEventLoop } from "../../fixtures/EventLoopTurn.ts"
import { recordedEvents } from "../../fixtures/RecordedEvents.ts"
import { inForce, settingsOf } from "../../fixtures/SettingsInForce.ts"
import { eventually } from "../../live/TestDaemon.ts"

/** A disk that takes lines while there is room. */
interface World {
  readonly stored: Array<string>
  /** The lines on the daemon's own output. */
  readonly shown: Array<string>
  readonly events: Array<DaemonEvent>
  /** The bytes that wait for the disk. */
  waitingBytes: number
}

const world = (): World => ({ stored: [], shown: [], events: [], waitingBytes: 0 })

const layerOf = (around: World, current: SubscriptionRef.SubscriptionRef<EffectiveSettings>) =>
  WorkerLog.layer.pipe(
    Layer.provide(
      Layer.mergeAll(
        Layer.succeed(AutopilotHome, pathsBelow("/nonexistent")),
        Layer.succeed(WorkerEcho, {
          show: (_, __, lines) => {
            if (lines.includes("a bug")) throw new Error("a bug of the echo")
            around.shown.push(lines.toString("latin1"))
          }
        }),
        WorkerLines.layer,
        Layer.provideMerge(Concerns.layer, recordedEvents(around.events)),
        Layer.succeed(SettingsInForce, settingsOf(current)),
        Layer.succeed(RotatingFiles, {
          open: ({ maxPendingBytes }) =>
            Effect.succeed({
              pendingBytes: () => around.waitingBytes,
              write: (lines: Buffer, prefix: Buffer = Buffer.alloc(0)) => {
                if (around.waitingBytes + lines.length > maxPendingBytes) return false
                around.stored.push(prefixed(prefix, lines).toString("latin1"))
                return true
              }
            })
        })
      )
    )
  )

/** A few turns of the event loop read all that a stream holds. */
const caughtUp = Effect.repeatN(turnOfTheEventLoop, 9)

const begin = Effect.fnUntraced(function* (around: World, secrets: ReadonlyArray<string> = []) {
  const settings = yield* SubscriptionRef.make(inForce({}))
  const { open } = yield* Effect.provide(WorkerLog.WorkerLog, layerOf(around, settings))
  const log = yield* open(unnamed)
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const capture = yield* log.capture({ pid: 7, stdout, stderr }, secrets)
  const redact = SubscriptionRef.set(settings, inForce({ log: { redact: true } })).pipe(
    Effect.zipRight(caughtUp)
  )
  return { capture, redact, stdout, stderr, stored: () => around.stored.join("").replace(/^\S+ \S+ /gm, "") }
})

const mib = 2 ** 20

describe("a worker's log", () => {
  it.scopedLive("has each line with its stream, after a note of the start", () =>
    Effect.gen(function* () {
      const around = world()
      const { capture, stderr, stdout, stored } = yield* begin(around)
      stdout.write("on")
      stdout.write("e\ntwo")
      stderr.end("oh")
      yield* caughtUp
      assert.strictEqual(stored(), "--- worker started, pid 7\nout one\nerr oh\n")
      stdout.end()
      yield* capture.finish
      assert.strictEqual(stored(), "--- worker started, pid 7\nout one\nerr oh\nout two\n")
      assert.match(around.stored[1] ?? "", /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} out one\n$/)
    })
  )

  it.scoped("does not wait for a stream that was closed before it was read", () =>
    Effect.gen(function* () {
      const around = world()
      const settings = yield* SubscriptionRef.make(inForce({}))
      const { open } = yield* Effect.provide(WorkerLog.WorkerLog, layerOf(around, settings))
      const [stdout, stderr] = [new PassThrough(), new PassThrough()]
      for (const stream of [stdout, stderr]) {
        stream.destroy()
        yield* Effect.promise(() => once(stream, "close"))
      }
      const capture = yield* (yield* open(unnamed)).capture({ pid: 7, stdout, stderr })
      // No time passes in this test.
      yield* capture.finish
      assert.lengthOf(around.stored, 1)
    })
  )

  it.scopedLive("returns the last lines and the time of the last output, unfinished lines included", () =>
    Effect.gen(function* () {
      const { capture, stderr, stdout } = yield* begin(world())
      const startedNanos = capture.lastOutputNanos()
      stdout.write("one\nhalf a line")
      stderr.write("trouble\n")
      yield* caughtUp
      assert.deepStrictEqual(yield* capture.tail, [
        { stream: "out", text: "one" },
        { stream: "err", text: "trouble" },
        { stream: "out", text: "half a line" }
      ])
      const spokenNanos = capture.lastOutputNanos()
      assert.isTrue(spokenNanos > startedNanos)
      stdout.write(" goes on")
      yield* caughtUp
      assert.isTrue(capture.lastOutputNanos() > spokenNanos)
    })
  )

  it.scopedLive("recognises an agent by its stream-json, between lines of other kinds", () =>
    Effect.gen(function* () {
      const { capture, stdout } = yield* begin(world())
      stdout.write('{"level":30,"msg":"no agent"}\nplain\n')
      yield* caughtUp
      assert.isUndefined(capture.agent().sessionId)
      const result = {
        type: "result",
        subtype: "success",
        is_error: false,
        result: "Done.",
        session_id: "s-1"
      }
      stdout.write('plain\n{"type":"system","subtype":"init","session_id":"s-1"}\n')
      stdout.write(`${JSON.stringify(result)}\nplain\n`)
      yield* caughtUp
      assert.strictEqual(capture.agent().sessionId, "s-1")
      assert.strictEqual(capture.agent().result?.subtype, "success")
    })
  )

  it.scopedLive("masks secrets from the moment log.redact is set, and always in the tail", () =>
    Effect.gen(function* () {
      const around = world()
      const { capture, redact, stdout, stored } = yield* begin(around, ["hunter2-hunter2", "short"])
      stdout.write("hunter2-hunter2\n")
      yield* caughtUp
      yield* redact
      stdout.write("short hunter2-")
      stdout.write("hunter2\nhunter2-hunter2")
      yield* caughtUp
      assert.strictEqual(
        stored(),
        "--- worker started, pid 7\nout hunter2-hunter2\nout short ***************\n"
      )
      assert.deepStrictEqual(
        (yield* capture.tail).map(({ text }) => text),
        ["***************", "short ***************", "***************"]
      )
    })
  )

  it.scopedLive("has no secret in what it returns about the agent and about an unfinished line", () =>
    Effect.gen(function* () {
      const { capture, stdout } = yield* begin(world(), ["hunter2-hunter2", 'with "quotes"'])
      const result = {
        type: "result",
        subtype: "success",
        is_error: true,
        result: 'The key hunter2-hunter2 (with "quotes") is refused',
        session_id: "s-1"
      }
      stdout.write(`${JSON.stringify(result)}\nUse hunter2-hunter2? `)
      yield* caughtUp
      assert.strictEqual(capture.agent().result?.text, "The key *************** (*************) is refused")
      const line = yield* eventually("it is quiet", capture.unfinished)
      assert.strictEqual(line, "Use ***************?")
    })
  )

  it.scopedLive("shows a question without a newline once it is quiet, and stores it as one line", () =>
    Effect.gen(function* () {
      const around = world()
      const { capture, stdout, stored } = yield* begin(around)
      stdout.write("starting\n\u001b[33mDo you trust the files in this folder? [y/N]\u001b[0m ")
      const question = "Do you trust the files in this folder? [y/N]"
      const note = yield* eventually("it is in the log", () => /^--- .*trust.*$/m.exec(stored())?.[0])
      assert.strictEqual(note, `--- unfinished line of out: ${question}`)
      assert.deepStrictEqual(around.shown, ["starting\n", `${question} [unfinished line]\n`])
      assert.strictEqual(capture.unfinished(), question)
      stdout.write("y\n")
      yield* caughtUp
      assert.strictEqual(capture.unfinished(), undefined)
      assert.match(stored(), /^out \S+Do you trust the files in this folder\? \[y\/N\]\S+ y$/m)
    })
  )

  it.scopedLive("keeps the lines of a worker whose output meets a bug of the daemon", () =>
    Effect.gen(function* () {
      const around = world()
      const { capture, stdout, stored } = yield* begin(around)
      stdout.write("one\na bug\n")
      yield* caughtUp
      stdout.write("two\n")
      yield* caughtUp
      assert.strictEqual(stored(), "--- worker started, pid 7\nout one\nout a bug\nout two\n")
      assert.deepStrictEqual(around.shown, ["two\n"])
      assert.deepStrictEqual(
        (yield* capture.tail).map(({ text }) => text),
        ["one", "a bug", "two"]
      )
    })
  )

  it.scopedLive(
    "delays the worker by a second when the disk is too slow, then drops whole lines and counts them",
    () =>
      Effect.gen(function* () {
        const around = world()
        const { stdout, stored } = yield* begin(around)
        around.waitingBytes = 9 * mib
        const line = `${"x".repeat(99)}\n`
        stdout.write("one\n")
        yield* eventually("it is held up", () => stdout.isPaused())
        for (let count = 0; count < 100; count++) stdout.write(line)
        yield* eventually("it is let go on", () => !stdout.isPaused())
        yield* caughtUp
        // What was read before and while it was held up is kept, and all of the rest is missing.
        const kept = stored().match(/^out x/gm)?.length ?? 0
        assert.deepStrictEqual(around.events, [])
        around.waitingBytes = 0
        stdout.write("last\n")
        yield* caughtUp
        const note = /^--- (\d+) lines were dropped here: the disk is too slow\nout last\n/m.exec(stored())
        assert.strictEqual(Number(note?.[1]), 100 - kept)
        assert.isAbove(Number(note?.[1]), 0)
        yield* eventually("it is told", () => around.events[0])
        assert.deepStrictEqual(around.events, [
          {
            _tag: "OutputDropped",
            project: unnamed,
            lines: 100 - kept,
            reason: "the disk is too slow"
          }
        ])
        assert.strictEqual(countLines(Buffer.from(stored())), kept + 4)
      })
  )
})
