import { execFileSync, spawn } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import type { Readable } from "node:stream"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { assertEndsByCommand, assertSupervised, byShell, soonBack, workerLog } from "../daemon/OtherStarts.ts"
import { eventually, fixture, killForSure, startDaemon, temporaryHome } from "../TestDaemon.ts"

/** The worker has written more than a pipe, a socket and the daemon's queue take: it was not held up. */
const moreThanAnyQueueHolds = (home: string) =>
  eventually("the worker goes on and on", () => workerLog(home).length > 2 * 1024 * 1024)

const assertTold = Effect.fnUntraced(function* (stream: Readable) {
  let text = ""
  stream.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")))
  const note = /^\.\.\. [0-9]+ lines are not shown here: the terminal or pipe was too slow$/m
  yield* eventually("the late reader is told", () => note.test(text))
  // Half lines would be glued together.
  assert.notMatch(text, /x.*default\|/)
})

describe("the daemon's own output", () => {
  it.scopedLive("may lose its reader: supervision and the log continue (D10)", () =>
    Effect.gen(function* () {
      const daemon = yield* startDaemon({
        worker: [fixture("mutters.sh")],
        settings: "[restart]\ninitial_backoff_ms = 50\n"
      })
      yield* daemon.logged(/Worker started/)
      daemon.child.stdout?.destroy()
      daemon.child.stderr?.destroy()
      yield* assertSupervised(daemon.home)
      yield* assertEndsByCommand(daemon.home)
    })
  )

  it.scopedLive(
    "may never be read: a full pipe blocks nothing, and a late reader gets the number of dropped lines",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        soonBack(home)
        const fifo = join(home, "screen")
        execFileSync("mkfifo", [fifo])
        // Held open by us and not read.
        yield* Effect.acquireRelease(
          Effect.sync(() => fs.openSync(fifo, fs.constants.O_RDWR | fs.constants.O_NONBLOCK)),
          (descriptor) => Effect.sync(() => fs.closeSync(descriptor))
        )
        yield* byShell({
          home,
          script: 'exec "$@" >screen 2>&1',
          worker: [fixture("mutters.sh")]
        })
        yield* moreThanAnyQueueHolds(home)
        yield* assertSupervised(home)
        const reader = yield* Effect.acquireRelease(
          Effect.sync(() => spawn("cat", [fifo], { stdio: ["ignore", "pipe", "ignore"] })),
          (child) => Effect.sync(() => killForSure(child.pid ?? 0))
        )
        yield* assertTold(reader.stdout)
        yield* assertEndsByCommand(home)
      })
  )

  it.scopedLive("may never be read: a full socket, such as the journal's, blocks nothing", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      soonBack(home)
      // What Node calls a pipe is a pair of sockets; nothing is read from ours until somebody listens.
      const daemon = yield* byShell({ home, script: 'exec "$@"', worker: [fixture("mutters.sh")] })
      yield* moreThanAnyQueueHolds(home)
      yield* assertSupervised(home)
      yield* assertTold(daemon.stdout)
      yield* assertEndsByCommand(home)
    })
  )

  for (const [what, redirection] of [
    ["closed from the start", ">&- 2>&- <&-"],
    ["on a full disk", ">/dev/full 2>&1"]
  ] as const) {
    it.scopedLive(`may be ${what}`, () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        soonBack(home)
        yield* byShell({ home, script: `exec "$@" ${redirection}`, worker: [fixture("mutters.sh")] })
        yield* assertSupervised(home)
        yield* assertEndsByCommand(home)
      })
    )
  }
})
