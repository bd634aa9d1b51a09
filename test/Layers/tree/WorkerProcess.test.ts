import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import * as ProcFs from "../../../src/Layers/machine/ProcFs.ts"
import { makeLeaderFile } from "../../../src/Layers/tree/SavedTraces.ts"
import * as WorkerProcess from "../../../src/Layers/tree/WorkerProcess.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"

const refusals: ReadonlyArray<
  readonly [what: string, spec: Partial<WorkerProcess.WorkerSpec>, told: RegExp]
> = [
  [
    "a prompt of more than 128 KiB as an argument",
    { argv: ["/bin/echo", "-p", "x".repeat(140_000)] },
    /: argument 2 has 136\.7 KiB, and Linux takes at most 128 KiB in one\. Put the text into a file/
  ],
  [
    "a variable of more than 128 KiB",
    { env: { SYSTEM_PROMPT: "x".repeat(140_000) } },
    /: the variable SYSTEM_PROMPT has 136\.7 KiB, and Linux takes at most 128 KiB in one/
  ],
  [
    "an environment that is too large as a whole",
    { env: Object.fromEntries([...Array(100).keys()].map((n) => [`V${n}`, "x".repeat(100_000)])) },
    /: its arguments and its environment have 9\.5 MiB, more than Linux takes/
  ],
  [
    "a NUL character in an argument",
    { argv: ["/bin/echo", "a\0b"] },
    /: argument 1 holds a NUL character, which no program can receive/
  ],
  [
    "a NUL character in a variable",
    { env: { KEY: "sk-secret\0" } },
    /: the variable KEY holds a NUL character, which no program can receive/
  ]
]

describe("a worker that the system does not start", () => {
  for (const [what, spec, told] of refusals) {
    it.effect(`is reported with the cause: ${what}`, () =>
      Effect.gen(function* () {
        const { start } = yield* WorkerProcess.WorkerProcess
        const { reason } = yield* Effect.flip(start({ argv: ["/bin/true"], cwd: "/", env: {}, ...spec }))
        assert.match(reason, told)
        assert.notMatch(reason, /xxx|sk-secret/)
      }).pipe(Effect.provide(Layer.provide(WorkerProcess.layer, ProcFs.layer)))
    )
  }
})

describe("the leader of a worker", () => {
  it.scopedLive(
    "is on disk by pid and start time before the agent runs, whose environment has nothing of it",
    () =>
      Effect.gen(function* () {
        const home = pathsBelow(yield* temporaryHome)
        fs.mkdirSync(home.stateDir)
        const trace = yield* makeLeaderFile(home, ProjectName.make("shop"), {
          bootId: "boot",
          homeId: "home"
        })
        const { start } = yield* WorkerProcess.WorkerProcess
        const worker = yield* start({
          // The agent reads the file, and shows its own start time and environment.
          argv: ["/bin/sh", "-c", 'cat "$FILE"; cat /proc/$$/stat; env'],
          cwd: "/",
          env: { FILE: trace?.file ?? "", PATH: process.env["PATH"] ?? "" },
          trace
        })
        const said = yield* Effect.promise(() => worker.stdout.setEncoding("utf8").toArray())
        const [line = "", stat = "", ...env] = said.join("").trim().split("\n")
        assert.deepStrictEqual(JSON.parse(line), {
          bootId: "boot",
          homeId: "home",
          processes: [{ pid: worker.pid, startTicks: Number(stat.split(" ")[21]) }]
        })
        assert.deepStrictEqual(
          env
            .map((entry) => entry.split("=", 1)[0])
            .filter((name) => !["PWD", "SHLVL", "_", "OLDPWD"].includes(name ?? ""))
            .toSorted(),
          ["FILE", "PATH"]
        )
      }).pipe(Effect.provide(Layer.provide(WorkerProcess.layer, ProcFs.layer)))
  )
})
