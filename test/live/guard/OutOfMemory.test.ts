import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { eventually, isAlive, startDaemon, temporaryHome } from "../TestDaemon.ts"
import { type MemoryGroup, memoryGroup, noMemoryGroup } from "./MemoryGroup.ts"

const mebibyte = 2 ** 20

const title = (what: string) => (noMemoryGroup === undefined ? what : `${what} (skipped: ${noMemoryGroup})`)

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
const withoutSwap = ({ folder }: MemoryGroup, limitBytes: number) => {
  for (const [name, value] of [
    ["memory.memsw.limit_in_bytes", limitBytes],
    ["memory.swap.max", 0]
  ]) {
    const path = join(folder, `${name}`)
    if (fs.existsSync(path)) fs.writeFileSync(path, `${value}`)
  }
}

/** A daemon that is alone with its worker in a cgroup with a limit; the worker runs in the home. */
const daemonIn = (limitBytes: number, worker: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const group = yield* memoryGroup(limitBytes)
    withoutSwap(group, limitBytes)
    const home = yield* temporaryHome
    fs.writeFileSync(join(home, "leaks.cjs"), leaks)
    const daemon = yield* startDaemon({
      home,
      settings: `working_dir = "${home}"\n${settings}`,
      worker,
      entrance: ["/bin/sh", "-c", 'echo $$ >"$0" && exec "$@"', join(group.folder, "cgroup.procs")]
    })
    return { daemon, group, home }
  })

/** Lets it leak, once it was seen with what it holds. */
const leak = (folder: string, status: Effect.Effect<{ readonly worker_memory_bytes?: number }>) =>
  eventually(
    "the worker's memory is seen",
    Effect.map(status, ({ worker_memory_bytes = 0 }) =>
      worker_memory_bytes > 100 * mebibyte ? true : undefined
    )
  ).pipe(Effect.tap(() => Effect.sync(() => fs.writeFileSync(join(folder, "go"), ""))))

const available = String.raw`[0-9.]+ (MiB|KiB|bytes?) of 400 MiB were available`

describe("a kill by the kernel because memory has run out", () => {
  it.scopedLive.skipIf(noMemoryGroup !== undefined)(
    title("of the worker is told as proven, with what was seen last before"),
    () =>
      Effect.gen(function* () {
        const { daemon, group, home } = yield* daemonIn(400 * mebibyte, ["node", "leaks.cjs"])
        yield* leak(
          home,
          Effect.map(daemon.ask({ type: "Status" }), ({ data }) => data ?? {})
        )
        const data = yield* daemon.status(
          "the worker has failed",
          ({ worker_status }) => worker_status === "failed"
        )
        const end = new RegExp(
          `killed by SIGKILL after [^;]+; the kernel killed it because memory had run out ` +
            String.raw`\(1 kill in the cgroup ${group.folder}; ` +
            String.raw`last seen before: it held [0-9.]+ MiB in 1 process, ${available}\)`
        )
        assert.match(`${data.last_exit}`, new RegExp(`^${end.source}$`))
        assert.match(`${data.reason}`, end)
        const logged = yield* daemon.logged(/Worker exited after .*/)
        assert.match(
          logged,
          /: killed by SIGKILL; the kernel killed it because memory had run out \(1 kill in/
        )
        assert.isTrue(isAlive(daemon.pid))
      })
  )

  it.scopedLive.skipIf(noMemoryGroup !== undefined)(
    title("of a child is told as proven although the leader ended otherwise"),
    () =>
      Effect.gen(function* () {
        const { daemon, group, home } = yield* daemonIn(400 * mebibyte, [
          "/bin/sh",
          "-c",
          "node leaks.cjs; exit 1"
        ])
        yield* leak(
          home,
          Effect.map(daemon.ask({ type: "Status" }), ({ data }) => data ?? {})
        )
        const data = yield* daemon.status(
          "the worker has failed",
          ({ worker_status }) => worker_status === "failed"
        )
        assert.match(
          `${data.last_exit}`,
          new RegExp(
            `^exit code 1 after [^;]+; the kernel killed one of its processes because memory had run out ` +
              String.raw`\(1 kill in the cgroup ${group.folder}; ` +
              String.raw`last seen before: it held [0-9.]+ MiB in 2 processes, ${available}\)$`
          )
        )
        assert.isTrue(isAlive(daemon.pid))
      })
  )

  it.scopedLive.skipIf(noMemoryGroup !== undefined)(
    title("takes a small process of the worker and not the daemon, although that is larger"),
    () =>
      Effect.gen(function* () {
        const holds = `{ dd if=/dev/zero bs=32M count=1 2>/dev/null || : >killed; } | sleep 600 &`
        const line = `until [ -e killed ]; do ${holds} sleep 0.1; done; exit 3`
        const { daemon } = yield* daemonIn(400 * mebibyte, ["/bin/sh", "-c", line])
        const daemonBytes = (): number =>
          1024 *
          Number(/^VmRSS:\s+([0-9]+)/m.exec(fs.readFileSync(`/proc/${daemon.pid}/status`, "latin1"))?.[1])
        assert.isAbove(daemonBytes(), 40 * mebibyte)
        const data = yield* daemon.status(
          "the worker has failed",
          ({ worker_status }) => worker_status === "failed"
        )
        assert.match(
          `${data.last_exit}`,
          /^exit code 3 after [^;]+; the kernel killed (one|[0-9]+) of its processes because memory had run out/
        )
        assert.isTrue(isAlive(daemon.pid))
      })
  )

  it.scopedLive.skipIf(noMemoryGroup !== undefined)(
    title("of a child is told at the end of a worker that went on and was stopped"),
    () =>
      Effect.gen(function* () {
        const line = "node leaks.cjs; : >over; exec sleep 600"
        const { daemon, home } = yield* daemonIn(400 * mebibyte, ["/bin/sh", "-c", line])
        yield* leak(
          home,
          Effect.map(daemon.ask({ type: "Status" }), ({ data }) => data ?? {})
        )
        yield* eventually(
          "the child is killed",
          Effect.sync(() => (fs.existsSync(join(home, "over")) ? true : undefined))
        )
        yield* daemon.ask({ type: "StopWorker" })
        const data = yield* daemon.status("it is stopped", ({ worker_status }) => worker_status === "stopped")
        assert.match(
          `${data.last_exit}`,
          /^killed by SIGTERM after [^;]+; the kernel killed one of its processes because memory had run out \(1 kill/
        )
        yield* daemon.logged(/WARN .*Worker exited after .*; the kernel killed one of its processes/)
      })
  )
})
