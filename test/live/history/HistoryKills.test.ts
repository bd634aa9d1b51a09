import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { HistoryRecord } from "../../../src/Domain/history/HistoryRecord.ts"
import { recordOf } from "../../../src/Domain/history/RecordLine.ts"
import { historyOf, keepAll, linesOf, numbered, readHistory } from "../../fixtures/HistoryWorld.ts"
import { noSmallDisk, unlessMissing } from "../../fixtures/Missing.ts"
import { runs } from "../../fixtures/runs.ts"
import { scriptIn } from "../../fixtures/Script.ts"
import { temporaryHome } from "../TestDaemon.ts"

/** Kills of each of two writers. */
const kills = runs(8)

/** test/fixtures/history-writer.ts as a script of its own. */
const writerScript = Effect.flatMap(temporaryHome, (home) => scriptIn(home, "history-writer"))

const ended = (child: ChildProcess) => new Promise<void>((resolve) => child.once("close", () => resolve()))

/** Lets it write for so long after it has said that, and kills it. */
const killedAfter = (script: string, home: string, maxBytes: number, word: string, delayMs: number) =>
  Effect.acquireUseRelease(
    Effect.sync(() =>
      spawn(process.execPath, [script, "flood", home, String(maxBytes)], {
        stdio: ["ignore", "pipe", "inherit"]
      })
    ),
    (child) =>
      Effect.promise(async () => {
        let said = ""
        await new Promise<void>((resolve) => {
          child.stdout.on("data", (chunk: Buffer) => {
            said += chunk.toString()
            if (said.includes(word)) resolve()
          })
        })
        await new Promise((resolve) => setTimeout(resolve, delayMs))
        child.kill("SIGKILL")
        await ended(child)
      }),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

/** The records of the whole lines of both files, the older ones first. No line of them may be anything else. */
const recordsOn = (home: string): ReadonlyArray<HistoryRecord> =>
  [`${historyOf(home)}.1`, historyOf(home)].flatMap(linesOf).map((line) => {
    const record = recordOf(line)
    return typeof record === "string" ? assert.fail(`${record}: ${line}`) : record
  })

const idOf = ({ daemon, seq }: HistoryRecord): string => `${daemon}:${seq}`

/** In each run the numbers follow one another; the first run may have lost its first ones to the limit of the size. */
const assertNoGaps = (records: ReadonlyArray<HistoryRecord>): void => {
  records.forEach((record, at) => {
    const before = records[at - 1]
    if (before === undefined) return
    assert.strictEqual(record.seq, before.daemon === record.daemon ? before.seq + 1 : 0)
  })
}

/** Another text when it has become another file; a number of an inode is given again at once. */
const identityOf = (path: string): string => {
  const stat = fs.statSync(path, { throwIfNoEntry: false })
  return `${stat?.ino} ${stat?.size} ${stat?.mtimeMs}`
}

/** Takes a part of the last line away, as a power loss does. Whether there was one. */
const tornOff = (path: string): boolean => {
  const last = linesOf(path).at(-1)
  if (last === undefined) return false
  const { size } = fs.statSync(path)
  fs.truncateSync(path, size - 1 - Math.ceil(Math.random() * Buffer.byteLength(last)))
  return true
}

/** Kills one writer after the other in the middle of their work, and looks after each that nothing is lost. */
const killAgainAndAgain = (script: string, kills: number) =>
  Effect.gen(function* () {
    const home = yield* temporaryHome
    const path = historyOf(home)
    const maxBytes = 400_000
    let seen: ReadonlyArray<string> = []
    let last: ReadonlyArray<string> = []
    for (let n = 0; n < kills; n++) {
      const older = identityOf(`${path}.1`)
      // Some are killed while they mend what the one before has left.
      yield* killedAfter(script, home, maxBytes, n % 4 === 0 ? "begins" : "has begun", Math.random() * 25)
      const found = recordsOn(home)
      assertNoGaps(found)
      const ids = found.map(idOf)
      const known = new Set(seen)
      const all = [...seen, ...ids.filter((id) => !known.has(id))]
      // What is there is the end of all that ever was; and all that was there last time, if no file has made room.
      assert.deepStrictEqual(ids, all.slice(all.length - ids.length))
      if (older === identityOf(`${path}.1`)) assert.deepStrictEqual(ids.slice(0, last.length), last)
      const isTorn = n % 2 === 0 && tornOff(path)
      seen = isTorn ? all.slice(0, -1) : all
      last = isTorn ? ids.slice(0, -1) : ids
    }
    yield* keepAll(home, [numbered(0)])
    const { damaged, records } = yield* readHistory(home)
    assert.strictEqual(damaged, 0)
    assert.deepStrictEqual(records.map(idOf).slice(0, last.length), last)
    assert.isTrue(fs.readFileSync(path, "utf8").endsWith("\n"))
    return seen.length
  })

describe("the history of a daemon that is killed while it writes", () => {
  it.scopedLive("has every whole line, kill after kill, and no line that cannot be read", () =>
    Effect.gen(function* () {
      const script = yield* writerScript
      const counts = yield* Effect.all(
        Array.from({ length: 2 }, () => killAgainAndAgain(script, kills)),
        { concurrency: "unbounded" }
      )
      // What survives all kills and all torn lines depends on the disk's speed, but is never nothing.
      for (const count of counts) assert.isAbove(count, 0)
    })
  )

  unlessMissing(noSmallDisk)(
    "on a full disk keeps what fits, reports the gap once, and continues when there is room",
    () =>
      Effect.gen(function* () {
        const script = yield* writerScript
        const home = yield* temporaryHome
        const { status, stderr } = spawnSync(
          "unshare",
          [
            "-m",
            "sh",
            "-c",
            // What is on the disk is copied beside it: the disk goes with its processes.
            `cd "$0" && touch told && mkdir disk && mount -t tmpfs -o size=128k none disk && { "$@" >told & } &&
             until grep -q "cannot be written" told; do sleep 0.02; done && cp disk/history.jsonl full.jsonl &&
             mount -o remount,size=4m disk && wait && cp disk/history.jsonl .`,
            home,
            process.execPath,
            script,
            "fill",
            join(home, "disk"),
            "300"
          ],
          { encoding: "utf8" }
        )
        assert.deepStrictEqual([status, stderr], [0, ""])
        const told = fs.readFileSync(join(home, "told"), "utf8")
        assert.match(told, /^error: The history cannot be written, .*ENOSPC.*\ninfo: .* again\n$/)
        for (const line of linesOf(join(home, "full.jsonl"))) assert.isObject(recordOf(line))
        const { damaged, records } = yield* readHistory(home)
        assert.strictEqual(damaged, 0)
        assert.deepStrictEqual(
          records.map(({ seq }) => seq),
          Array.from({ length: 300 }, (_, n) => n)
        )
      })
  )
})
