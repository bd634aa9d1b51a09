import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { linesPerWindow } from "../../src/Domain/logs/JournalAllowance.ts"
import { eventually } from "../live/TestDaemon.ts"
import { fixture, type Machine } from "./Machine.ts"
import { started, workerIs } from "./Service.ts"
import { underUserManager } from "./UserManager.ts"

/** The journal ends an entry at a NUL, and would take what follows for the priority of the next one. */
const forges = String.raw`printf "a\000<3>forged\n"`

/** A worker that prints a NUL, and runs a command once there is the file `go`. */
const begins = (argv: ReadonlyArray<string>, failures: number): string =>
  [
    workerIs(
      "/bin/sh",
      "-c",
      `${forges}; until [ -e "$HOME/go" ]; do sleep 0.05; done; exec "$0" "$@"`,
      ...argv
    ),
    `restart.max_consecutive_restarts = ${failures}`,
    "restart.initial_backoff_ms = 50",
    ""
  ].join("\n")

const floods = [fixture("floods.mjs"), "100", "10", "/home/tester/over"]

/** Long lines until nothing more can wait for the journal, and short ones, one at a time, for what room is left. */
const fillsEveryGap = [
  "/bin/sh",
  "-c",
  `long=$(printf '%8000s' '' | tr ' ' x); short=$(printf '%150s' '' | tr ' ' y)
  for i in $(seq 1500); do echo "$long"; done; for i in $(seq 480); do echo "$short"; sleep 0.002; done
  >"$HOME/over"; exec sleep 1000000`
]

const flooded = (machine: Machine) =>
  Effect.sync(() => machine.write("go", "")).pipe(
    Effect.zipRight(eventually("the flood is over", () => machine.read("over")))
  )

describe("a worker that floods", () => {
  underUserManager("costs the journal none of the daemon's own lines", (machine) =>
    Effect.gen(function* () {
      // Far more than the journal takes in 30 seconds, on a disk of whatever size: its limit grows with what is free.
      const service = yield* started(machine, { settings: begins(floods, 2) })
      const first = yield* service.running
      yield* flooded(machine)
      yield* machine.sh(`kill -KILL ${first.worker_pid}`)
      const second = yield* service.status(
        "another one runs",
        (data) => data.worker_status === "running" && data.worker_pid !== first.worker_pid
      )
      // Of the priority of the worker's own lines: this is what the journal would drop.
      yield* service.journalHas(new RegExp(`default: Worker started, pid ${second.worker_pid}\\b`))
      yield* machine.sh(`kill -KILL ${second.worker_pid}`)
      yield* service.journalHas(/default: Gave up/, "-p err")
      yield* service.journalHas(/^default\| a\\x00<3>forged$/)
      assert.notInclude(JSON.stringify(yield* service.journal("-p err")), "forged")
      const echoed = (yield* service.journal()).filter(({ text }) => text.startsWith("default| ")).length
      assert.isAtLeast(echoed, linesPerWindow)
      assert.isBelow(echoed, 4 * linesPerWindow)
    })
  )

  underUserManager("costs the journal none of them while the journal does not read", (machine) =>
    Effect.gen(function* () {
      const journald = (signal: string) => machine.asRoot(`kill -${signal} $(pidof systemd-journald)`)
      const service = yield* started(machine, { settings: begins(fillsEveryGap, 1) })
      const { worker_pid } = yield* service.running
      yield* service.journalHas(/default: Worker started/)
      yield* journald("STOP")
      yield* flooded(machine)
      yield* machine.sh(`kill -KILL ${worker_pid}`)
      yield* service.status("it has given up", ({ worker_status }) => worker_status === "failed")
      yield* journald("CONT")
      yield* service.journalHas(/default: Gave up/, "-p err")
      yield* service.journalHas(/lines are (left out|not shown) here/)
    })
  )
})
