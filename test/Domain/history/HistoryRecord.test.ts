import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { isKept, lineOf, maxLineLength, RecordHead } from "../../../src/Domain/history/HistoryRecord.ts"
import { recordOf, timeOfLine } from "../../../src/Domain/history/RecordLine.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { fitted, misfit } from "../../../src/Domain/Shape.ts"
import { shapeOf } from "../../../src/Domain/ShapeOf.ts"
import { anyEvent, shop } from "../../fixtures/HistoryWorld.ts"
import { runs } from "../../fixtures/runs.ts"
import { spoiled } from "../../fixtures/Spoiled.ts"

const head = { at: 1_795_000_000_123, seq: 7, daemon: "647e1b5943da" }

const anyHead = FastCheck.record({
  at: FastCheck.integer({ min: 0, max: 8.64e15 }),
  seq: FastCheck.nat(),
  daemon: FastCheck.stringMatching(/^[0-9a-f]{12}$/)
})

describe("a record of the history", () => {
  it("is one line of JSON with the time first, the number and the run of the daemon, then the event", () => {
    assert.strictEqual(
      lineOf(head, { _tag: "WorkerStopped", project: shop, reason: "asked\nby a person" }),
      '{"at":1795000000123,"seq":7,"daemon":"647e1b5943da","_tag":"WorkerStopped","project":"shop","reason":"asked\\nby a person"}\n'
    )
  })

  it("is read back as it was written, for every event", () => {
    FastCheck.assert(
      FastCheck.property(anyHead, anyEvent, (at, event) => {
        const line = lineOf(at, event)
        assert.isTrue(line.endsWith("}\n"))
        assert.strictEqual(line.split("\n").length, 2)
        assert.isAtMost(line.length, maxLineLength)
        assert.deepStrictEqual(recordOf(line.slice(0, -1)), { ...at, ...event })
        assert.strictEqual(timeOfLine(line), at.at)
      })
    )
  })

  it("is cut when it would be too long, and still can be read", () => {
    const long = (length: number) => "x".repeat(length)
    const name = ProjectName.make("p".repeat(64))
    const events: ReadonlyArray<DaemonEvent> = [
      {
        _tag: "WorkerStarted",
        project: name,
        pid: 1,
        workerId: "home:shop:1",
        command: ["claude", "-p", long(200_000)]
      },
      {
        _tag: "WorkerStarted",
        project: name,
        pid: 1,
        workerId: "home:shop:1",
        command: Array.from({ length: 50_000 }, (_, n) => `--option-${n}`)
      },
      { _tag: "ConcernFailed", name: "a", cause: "\u0000".repeat(100_000), retryInMs: 1 },
      { _tag: "SettingsRefused", by: long(100_000), reason: "😀".repeat(50_000) }
    ]
    for (const event of events) {
      const line = lineOf(head, event)
      assert.isAtMost(line.length, maxLineLength)
      const record = recordOf(line.slice(0, -1))
      if (typeof record === "string") return assert.fail(record)
      assert.strictEqual(record._tag, event._tag)
      if ("project" in record) assert.strictEqual(record.project, name)
    }
  })

  it("has its form under its tag: to read it takes no attempt with the forms of all other events", () => {
    const shape = shapeOf(DaemonEvent.ast)
    assert(typeof shape === "object" && "forms" in shape)
    assert.isAbove(Object.keys(shape.forms).length, 50)
    const { WorkerStopped } = shape.forms
    assert(typeof WorkerStopped === "object" && "fields" in WorkerStopped)
    assert.deepStrictEqual(WorkerStopped.fields[0], ["_tag", "string"])
    for (const strange of [
      { _tag: "toString" },
      { _tag: ["WorkerStopped"], project: shop, reason: "" },
      null,
      []
    ])
      assert.strictEqual(fitted(shape, strange), misfit)
  })

  it("names the field of an event that is wrong", () => {
    const place: Array<string> = []
    const wrong = { _tag: "DaemonStarted", pid: "1", version: "1", home: "/" }
    assert.strictEqual(fitted(shapeOf(DaemonEvent.ast), wrong, place), misfit)
    assert.deepStrictEqual(place, ["pid"])
  })

  it("is damaged when it is no record, and foreign when it is one of another version", () => {
    const damaged = [
      "",
      "{",
      "null",
      "[]",
      '"text"',
      "{}",
      '{"at":1.5,"seq":0,"daemon":"a"}',
      '{"at":1,"seq":0,"daemon":""}'
    ]
    for (const line of damaged) assert.deepStrictEqual(recordOf(line), "damaged", line)
    const foreign = [
      '{"at":1,"seq":0,"daemon":"a"}',
      '{"at":1,"seq":0,"daemon":"a","_tag":"Unheard"}',
      '{"at":1,"seq":0,"daemon":"a","_tag":"WorkerStopped","project":"no name","reason":"x"}'
    ]
    for (const line of foreign) assert.deepStrictEqual(recordOf(line), "foreign", line)
  })

  it("is read as its schemas would, for every kind of event and for a spoiled one", () => {
    const heads = Schema.decodeUnknownOption(RecordHead)
    const events = Schema.decodeUnknownOption(DaemonEvent)
    const bySchema = (line: string) => {
      const value: unknown = JSON.parse(line)
      return Option.match(heads(value), {
        onNone: () => "damaged" as const,
        onSome: (at) =>
          Option.match(events(value), {
            onNone: () => "foreign" as const,
            onSome: (event) => ({ ...at, ...event })
          })
      })
    }
    const tags = new Set<string>()
    FastCheck.assert(
      FastCheck.property(
        anyHead,
        Arbitrary.make(DaemonEvent),
        FastCheck.nat(30),
        FastCheck.constantFrom<unknown>(undefined, null, -1, 1.5, "", "x", true, [], {}),
        (at, event, place, by) => {
          tags.add(event._tag)
          const line = JSON.stringify(
            by === undefined ? { ...at, ...event } : spoiled({ ...at, ...event }, place, by)
          )
          assert.deepStrictEqual(recordOf(line), bySchema(line), line)
        }
      ),
      { numRuns: runs(2000) }
    )
    assert.isAbove(tags.size, DaemonEvent.members.length / 2)
  })

  it("with more fields of a newer version is read without them", () => {
    const line = '{"at":1,"seq":0,"daemon":"a","_tag":"ProjectAdded","project":"shop","later":"a person"}'
    assert.deepStrictEqual(recordOf(line), {
      at: 1,
      seq: 0,
      daemon: "a",
      _tag: "ProjectAdded" as const,
      project: shop
    })
  })

  it("is read or refused for any text, and never throws", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.oneof(FastCheck.string(), FastCheck.json()), (line) => {
        recordOf(line)
      })
    )
  })
})

describe("the kept events", () => {
  it("are every exit, wait, decision and command, without repeated reports of a lasting state", () => {
    const kept: ReadonlyArray<DaemonEvent> = [
      { _tag: "DaemonStopped", leftBehind: [] },
      { _tag: "WorkerStopped", project: shop, reason: "x" },
      { _tag: "CommandTaken", project: shop, command: "stop" },
      { _tag: "EventsLost", events: 1, reason: "x" }
    ]
    for (const event of kept) assert.isTrue(isKept(event), event._tag)
    assert.isFalse(isKept({ _tag: "OutputDropped", project: shop, lines: 1, reason: "x" }))
    assert.isFalse(isKept({ _tag: "EnvFileDoubtful", project: shop, warning: "x" }))
  })
})
