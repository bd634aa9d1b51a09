import { assert, describe, it } from "@effect/vitest"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { causesOf, restartsByDay, restartsIn } from "../../../src/Domain/history/Restarts.ts"
import { restartSentences } from "../../../src/Domain/history/RestartsText.ts"
import { fixedZone, utc } from "../../../src/Domain/text/LocalTime.ts"
import type { Verdict } from "../../../src/Domain/verdict/ExitVerdict.ts"
import { at, noon, run } from "../../fixtures/HistoryRecords.ts"
import { blog, shop } from "../../fixtures/HistoryWorld.ts"

const started = (project = shop): DaemonEvent => ({
  _tag: "WorkerStarted",
  project,
  pid: 1,
  workerId: "home:shop:1",
  command: ["agent"]
})
const exit = { code: 1, signal: null }
const exited = (wasAsked = false, project = shop): DaemonEvent => ({
  _tag: "WorkerExited",
  project,
  exit,
  uptimeMs: 1000,
  wasAsked
})
const ended = (verdict: Verdict, project = shop): DaemonEvent => ({
  _tag: "WorkerEnded",
  project,
  exit,
  uptimeMs: 1000,
  verdict
})
const asked = (command: "start" | "stop" | "restart"): DaemonEvent => ({
  _tag: "CommandTaken",
  project: shop,
  command
})
const stopped: DaemonEvent = { _tag: "WorkerStopped", project: shop, reason: "a person asked for it" }
const overLimit = {
  outcome: "restart",
  limitBytes: 1,
  treeBytes: 2,
  proportionalBytes: 2,
  processes: 1
} as const
const crash: Verdict = { kind: "crash", exit, tail: ["oops"] }

/** The causes of the restarts in one run in which this has happened, one after the other. */
const causes = (...events: ReadonlyArray<DaemonEvent>) =>
  restartsIn(run("a", ...events.map((event, n) => [noon + n, event] as const))).map(({ cause }) => cause)

describe("the restarts of a worker", () => {
  const table: ReadonlyArray<
    readonly [what: string, events: ReadonlyArray<DaemonEvent>, causes: ReadonlyArray<string>]
  > = [
    ["a first start is none", [started()], []],
    ["one that ended by itself is one, for how it ended", [started(), exited(), started()], ["exit code 1"]],
    [
      "once it is judged, for what it was",
      [started(), exited(), ended(crash), started()],
      ["crash (exit code 1)"]
    ],
    [
      "a usage limit is one, however long the wait was",
      [started(), exited(), ended({ kind: "usage-limit", says: "resets 3pm" }), started()],
      ["usage limit"]
    ],
    [
      "a signal, and a memory limit of its own, are named as such",
      [
        started(),
        exited(),
        ended({ kind: "killed-by-other", signal: "SIGINT" }),
        started(),
        exited(true),
        ended({ kind: "out-of-memory", by: "limit", figures: overLimit }),
        started()
      ],
      ["another process sent SIGINT", "its own memory limit"]
    ],
    ["a restart command is one", [started(), asked("restart"), exited(true), started()], ["restart command"]],
    [
      "also when its verdict names the daemon",
      [
        started(),
        asked("restart"),
        exited(true),
        ended({ kind: "killed-by-us", reason: "restart" }),
        started()
      ],
      ["restart command"]
    ],
    [
      "the daemon's own restart is one, for its reason",
      [started(), { _tag: "RestartAsked", project: shop, reason: "memory is low" }, exited(true), started()],
      ["memory is low"]
    ],
    [
      "what could not be started is started again",
      [started(), exited(), { _tag: "WorkerNotStarted", project: shop, reason: "no such file" }, started()],
      ["could not be started: no such file"]
    ],
    [
      "a start after a rest is a first one",
      [started(), asked("stop"), exited(true), stopped, asked("start"), started()],
      []
    ],
    [
      "a restart after a rest is one",
      [started(), exited(true), stopped, asked("restart"), started()],
      ["restart command"]
    ],
    ["one whose first start is too long ago is one", [exited(), started()], ["exit code 1"]],
    [
      "each has its own cause",
      [started(), exited(), ended(crash), started(), exited(), started()],
      ["crash (exit code 1)", "exit code 1"]
    ]
  ]
  for (const [what, events, expected] of table) {
    it(`${what}`, () => assert.deepStrictEqual(causes(...events), expected))
  }

  it("are those of each project and of each run of the daemon by itself", () => {
    const records = [
      ...run(
        "a",
        [at("01:00"), started(shop)],
        [at("01:01"), exited(false, shop)],
        [at("01:02"), started(blog)]
      ),
      ...run(
        "b",
        [at("02:00"), started(shop)],
        [at("02:01"), exited(false, shop)],
        [at("02:02"), started(shop)]
      )
    ]
    assert.deepStrictEqual(restartsIn(records), [{ at: at("02:02"), project: shop, cause: "exit code 1" }])
  })

  it("are counted by day and project, with their causes, the newest day and the commonest cause first", () => {
    const one = (atMs: number, cause: string, project = shop) => ({ at: atMs, project, cause })
    const restarts = [
      one(at("23:59", 1), "crash"),
      one(at("00:00"), "usage limit"),
      one(at("01:00"), "crash", blog),
      one(at("02:00"), "crash"),
      one(at("03:00"), "crash")
    ]
    assert.deepStrictEqual(restartsByDay(restarts, utc), [
      { day: "2026-11-22", project: blog, restarts: 1, causes: [{ cause: "crash", restarts: 1 }] },
      {
        day: "2026-11-22",
        project: shop,
        restarts: 3,
        causes: [
          { cause: "crash", restarts: 2 },
          { cause: "usage limit", restarts: 1 }
        ]
      },
      { day: "2026-11-21", project: shop, restarts: 1, causes: [{ cause: "crash", restarts: 1 }] }
    ])
    // In another zone the night before midnight is the same day.
    assert.lengthOf(
      restartsByDay(restarts, fixedZone(3_600_000)).filter(({ project }) => project === shop),
      1
    )
    assert.deepStrictEqual(causesOf([]), [])
  })
})

describe("how often a worker has restarted, in words", () => {
  const of = (...list: ReadonlyArray<readonly [atMs: number, cause: string]>) =>
    restartSentences(
      "It",
      list.map(([atMs, cause]) => ({ at: atMs, project: shop, cause })),
      noon,
      utc
    )

  it("gives today and the week, each with its causes", () => {
    assert.deepStrictEqual(of(), ["It has not restarted in the last seven days."])
    assert.deepStrictEqual(of([at("12:00", 7), "crash"]), ["It has not restarted in the last seven days."])
    assert.deepStrictEqual(of([at("00:00"), "crash"]), ["It has restarted once today: crash."])
    assert.deepStrictEqual(of([at("10:00", 6), "crash"], [at("10:00", 2), "crash"]), [
      "It has not restarted today.",
      "In the last seven days it has restarted 2 times: crash."
    ])
    assert.deepStrictEqual(
      of(
        [at("10:00", 1), "crash"],
        [at("01:00"), "crash"],
        [at("02:00"), "usage limit"],
        [at("03:00"), "crash"]
      ),
      [
        "It has restarted 3 times today: 2 times crash, once usage limit.",
        "In the last seven days it has restarted 4 times: 3 times crash, once usage limit."
      ]
    )
  })

  it("names the commonest causes and counts the rest", () => {
    const many = Array.from({ length: 7 }, (_, n) => [at("01:00"), `cause ${n}`] as const)
    assert.deepStrictEqual(of(...many), [
      "It has restarted 7 times today: once cause 0, once cause 1, once cause 2, once cause 3, 3 times for other reasons."
    ])
  })
})
