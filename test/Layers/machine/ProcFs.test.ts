import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ProcFs from "../../../src/Layers/machine/ProcFs.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"

const rest = "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"
const stat = (pid: number, name: string) => `${pid} (${name}) S 1 20 30 ${rest} 4711 0 3\n`

/** A /proc of the test's own. */
const fakeProc = (
  processes: Readonly<Record<string, { readonly name: string; readonly environ?: string }>>
) =>
  Effect.map(temporaryHome, (root) => {
    for (const [pid, { environ = "", name }] of Object.entries(processes)) {
      fs.mkdirSync(join(root, pid))
      fs.writeFileSync(join(root, pid, "stat"), stat(Number(pid), name))
      fs.writeFileSync(join(root, pid, "environ"), environ)
    }
    return root
  })

const inProc = <A, E>(root: string, test: Effect.Effect<A, E, ProcFs.ProcFs>) =>
  Effect.provide(test, ProcFs.layerAt(root))

describe("the process table", () => {
  it("is read right whatever a program calls itself", () => {
    for (const name of ["sh", "a b", ") R 1 1 1", "x) (y", "", "\n"]) {
      assert.deepStrictEqual(ProcFs.parseStat(stat(7, name)), {
        pid: 7,
        parentPid: 1,
        group: 20,
        session: 30,
        startTicks: 4711,
        residentBytes: 3 * 4096,
        state: "S"
      })
    }
    assert.isUndefined(ProcFs.parseStat(""))
    assert.isUndefined(ProcFs.parseStat("garbage"))
  })

  it.scopedLive("leaves out what is no process and what has gone meanwhile", () =>
    Effect.gen(function* () {
      const root = yield* fakeProc({ "12": { name: "a" }, "13": { name: "b" } })
      fs.mkdirSync(join(root, "sys"))
      fs.mkdirSync(join(root, "14"))
      const found = yield* inProc(
        root,
        Effect.flatMap(ProcFs.ProcFs, (proc) => proc.processes)
      )
      assert.deepStrictEqual(
        found.map((entry) => entry.pid),
        [12, 13]
      )
    })
  )

  it.scopedLive("finds a mark only as the beginning of an entry, in environments of any size", () =>
    Effect.gen(function* () {
      const root = yield* fakeProc({
        "1": { name: "first", environ: "ID=home:shop:1\0PATH=/bin\0" },
        "2": { name: "last", environ: "PATH=/bin\0ID=home:shop:2" },
        "3": { name: "inside", environ: "OTHER_ID=home:shop:3\0ARGS=--env ID=home:shop:3\0" },
        "4": { name: "large", environ: `BIG=${"x".repeat(300_000)}\0ID=home:shop:4\0` },
        "5": { name: "none" }
      })
      const found = yield* inProc(
        root,
        Effect.flatMap(ProcFs.ProcFs, (proc) => proc.carrying([1, 2, 3, 4, 5, 6], "ID=home:"))
      )
      assert.deepStrictEqual([...found], [1, 2, 4])
    })
  )

  it.scopedLive("that cannot be read is an error, and never an empty table", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        inProc(
          "/nonexistent/proc",
          Effect.flatMap(ProcFs.ProcFs, (proc) => proc.processes)
        )
      )
      assert.strictEqual(error._tag, "ProcUnreadable")
    })
  )

  it.live("shows this process as the kernel does", () =>
    Effect.gen(function* () {
      const proc = yield* ProcFs.ProcFs
      const own = yield* proc.process(process.pid)
      assert.strictEqual(own?.parentPid, process.ppid)
      assert.include(
        (yield* proc.processes).map((entry) => entry.pid),
        process.pid
      )
    }).pipe(Effect.provide(ProcFs.layer))
  )
})
