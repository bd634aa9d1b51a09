import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { unlessMissing } from "../../fixtures/Missing.ts"
import { isAlive, startDaemon, type TestDaemon, temporaryHome } from "../TestDaemon.ts"
import { type MemoryGroup, memoryGroup, noMemoryGroup } from "./MemoryGroup.ts"

const mebibyte = 2 ** 20
const limitBytes = 400 * mebibyte

/** The guard only reports, and what has failed is not started again. */
const settings = `[memory]
dry_run = true
poll_interval_ms = 50
[restart]
max_consecutive_restarts = 1
`

/** Node that holds 100 MiB, and more and more once there is a file named `go`. */
const leaks = `
  const held = [Buffer.alloc(100 * 2 ** 20, 1)]
  setInterval(() => {
    if (require("fs").existsSync("go")) for (;;) held.push(Buffer.alloc(2 ** 20, 1))
  }, 20)`

/** Swap would only make it take longer. */
const withoutSwap = ({ folder }: MemoryGroup) => {
  for (const [name, value] of [
    ["memory.memsw.limit_in_bytes", limitBytes],
    ["memory.swap.max", 0]
  ]) {
    const path = join(folder, `${name}`)
    if (fs.existsSync(path)) fs.writeFileSync(path, `${value}`)
  }
}

/** A daemon that shares a cgroup with a memory limit with its worker, which runs in the home. */
const daemonIn = (worker: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const group = yield* memoryGroup(limitBytes)
    withoutSwap(group)
    const home = yield* temporaryHome
    fs.writeFileSync(join(home, "leaks.cjs"), leaks)
    const daemon = yield* startDaemon({
      home,
      settings: `working_dir = "${home}"\n${settings}`,
      worker,
      entrance: ["/bin/sh", "-c", 'echo $$ >"$0" && exec "$@"', join(group.folder, "cgroup.procs")]
    })
    return { daemon, failed: daemon.status("it has failed", (data) => data.worker_status === "failed") }
  })

/** Makes the worker leak, once the daemon has sampled its memory. */
const leak = Effect.fnUntraced(function* (daemon: TestDaemon) {
  yield* daemon.status(
    "the worker's memory is sampled",
    ({ worker_memory_bytes = 0 }) => worker_memory_bytes > 100 * mebibyte
  )
  fs.writeFileSync(join(daemon.home, "go"), "")
})

const available = String.raw`[0-9.]+ (MiB|KiB|bytes?) of 400 MiB were available`

describe("a kill by the kernel because memory ran out, without a cgroup of the worker's own", () => {
  unlessMissing(noMemoryGroup)("of the worker is reported as probable, with the figures before it", () =>
    Effect.gen(function* () {
      const { daemon, failed } = yield* daemonIn(["node", "leaks.cjs"])
      yield* leak(daemon)
      const data = yield* failed
      const end = new RegExp(
        `killed by SIGKILL after [^;]+; the kernel probably killed it because memory ran out ` +
          String.raw`\([0-9]+ kills? on this machine; ` +
          String.raw`before that the worker held [0-9.]+ MiB in 1 process, ${available}\)`
      )
      assert.match(`${data.last_exit}`, new RegExp(`^${end.source}$`))
      assert.match(`${data.reason}`, end)
      const logged = yield* daemon.logged(/Worker exited after .*/)
      assert.match(
        logged,
        /: killed by SIGKILL; the kernel probably killed it because memory ran out \([0-9]+ kills? on/
      )
      assert.isTrue(isAlive(daemon.pid))
    })
  )

  unlessMissing(noMemoryGroup)("of a child is reported as probable when the leader fails after it", () =>
    Effect.gen(function* () {
      const { daemon, failed } = yield* daemonIn(["/bin/sh", "-c", "node leaks.cjs; exit 1"])
      yield* leak(daemon)
      const data = yield* failed
      assert.match(
        `${data.last_exit}`,
        new RegExp(
          `^exit code 1 after [^;]+; the kernel probably killed one of its processes because memory ran out ` +
            String.raw`\([0-9]+ kills? on this machine; ` +
            String.raw`before that the worker held [0-9.]+ MiB in 2 processes, ${available}\)$`
        )
      )
      assert.isTrue(isAlive(daemon.pid))
    })
  )

  unlessMissing(noMemoryGroup)(
    "hits a small process of the worker and not the daemon, although that is larger",
    () =>
      Effect.gen(function* () {
        const holds = `{ dd if=/dev/zero bs=32M count=1 2>/dev/null || : >killed; } | sleep 600 &`
        const line = `until [ -e killed ]; do ${holds} sleep 0.1; done; exit 3`
        const { daemon, failed } = yield* daemonIn(["/bin/sh", "-c", line])
        const daemonBytes = (): number =>
          1024 *
          Number(/^VmRSS:\s+([0-9]+)/m.exec(fs.readFileSync(`/proc/${daemon.pid}/status`, "latin1"))?.[1])
        assert.isAbove(daemonBytes(), 40 * mebibyte)
        const data = yield* failed
        assert.match(
          `${data.last_exit}`,
          /^exit code 3 after [^;]+; the kernel probably killed one of its processes because memory ran out/
        )
        assert.isTrue(isAlive(daemon.pid))
      })
  )
})
