import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { unlessMissing } from "../../fixtures/Missing.ts"
import { nodeFolder } from "../daemon/NodeRelease.ts"
import { eventually } from "../TestDaemon.ts"
import { critical, type GuardedMachine, guardedMachine, hoarding, low, openFolder } from "./GuardedMachine.ts"
import { meminfoText, noOwnMachine, plenty } from "./OwnMachine.ts"

/** Node under its own name and another, where every user may run it. */
let programs = ""

beforeAll(() => {
  if (noOwnMachine !== undefined) return
  programs = openFolder(tmpdir())
  fs.copyFileSync(process.execPath, join(programs, "node"))
  fs.linkSync(join(programs, "node"), join(programs, "node_exporter"))
})

afterAll(() => {
  if (programs !== "") fs.rmSync(programs, { recursive: true, force: true })
})

const live = unlessMissing(noOwnMachine)

const child = { tag: "child", mebibytes: 90 }

/** A worker that runs something as its child. */
const parentOf = (command: ReadonlyArray<string>): ReadonlyArray<string> => [
  "/bin/sh",
  "-c",
  '"$@" & wait',
  "sh",
  ...command
]
const sleeper = ["sleep", "100000"]

/** Once it has ended, memory is plentiful again. */
const thatFrees = ({ machine }: GuardedMachine, tag: string, mebibytes: number) => ({
  tag,
  mebibytes,
  frees: machine.meminfo,
  text: meminfoText(plenty)
})

const assertAlive = ({ log, machine }: GuardedMachine, ...pids: ReadonlyArray<number>): void =>
  assert.deepStrictEqual(pids.filter(machine.isAlive), pids, log())

/** The daemon has scanned all processes and found none to kill. */
const foundNothing = ({ logged }: GuardedMachine) => logged(/Nothing is done although memory is/)

const worksOn = Effect.fnUntraced(function* ({ status }: GuardedMachine, pid: number | null) {
  const data = yield* status("the worker runs", ({ worker_status }) => worker_status === "running")
  assert.deepStrictEqual([data.worker_pid, data.total_restarts], [pid, 0])
})

describe("when memory is low", () => {
  live(
    "a large node of the user gets SIGTERM; the worker, its node children and all others live (D21, D22)",
    () =>
      Effect.gen(function* () {
        const guarded = yield* guardedMachine({ worker: parentOf(hoarding(child)) })
        const { full, hoarder, isGone, logged, machine, memoryIs, status } = guarded
        const { worker_pid } = yield* status("the worker runs", (data) => data.worker_status === "running")
        const childPid = yield* full(child)
        const small = yield* hoarder({ tag: "small", mebibytes: 1 })
        const exporter = yield* hoarder({ tag: "exporter", mebibytes: 120 }, join(programs, "node_exporter"))
        const script = fs.readFileSync(hoarding(child)[1] ?? "", "utf8")
        const others = yield* machine.start({
          argv: [join(programs, "node"), "--input-type=module", "-e", script, "-", '{"mebibytes":120}'],
          uid: 65534,
          ownSession: true
        })
        yield* eventually(
          "another user's holds its memory",
          () => machine.residentBytes(others) > 120 * 2 ** 20
        )
        const hog = yield* hoarder({ tag: "hog", mebibytes: 150 })
        yield* memoryIs(low)
        yield* isGone(hog)
        const line = yield* logged(/Sending SIGTERM /)
        assert.match(
          line,
          new RegExp(
            `Sending SIGTERM to node \\(pid ${hog}, \\S+ MiB\\): memory is low \\(900 MiB of 4 GiB available, below 1 GiB\\)`
          )
        )
        yield* logged(new RegExp(`node \\(pid ${hog}\\) exited after `))
        yield* foundNothing(guarded)
        assertAlive(guarded, worker_pid ?? 0, childPid, small, exporter, others)
        assert.notMatch(guarded.log(), /Sending SIGKILL/)
        assert.match(
          guarded.log(),
          new RegExp(`pid ${others}, \\S+ MiB, `),
          "another user's is told among the spared"
        )
        const data = yield* status("memory is low", ({ memory_level }) => memory_level === "low")
        assert.strictEqual(data.memory_available_bytes, 900 * 2 ** 20)
        yield* worksOn(guarded, worker_pid)
      })
  )

  live("no process is signalled once memory is plentiful", () =>
    Effect.gen(function* () {
      const guarded = yield* guardedMachine({ worker: sleeper })
      const { hoarder, isGone, log, memoryIs, status } = guarded
      const smaller = yield* hoarder({ tag: "smaller", mebibytes: 90 })
      const hog = yield* hoarder(thatFrees(guarded, "hog", 140))
      yield* memoryIs(low)
      yield* isGone(hog)
      yield* status("memory is plentiful", ({ memory_level }) => memory_level === "plentiful")
      yield* guarded.logged(
        new RegExp(`node \\(pid ${hog}\\) exited after .*, 2\\.9\\d? GiB of 4 GiB available now`)
      )
      // A second shortage shows that the daemon still acts.
      assertAlive(guarded, smaller)
      assert.strictEqual(log().match(/Sending SIGTERM /g)?.length, 1, log())
      yield* memoryIs(low)
      yield* isGone(smaller)
    })
  )

  live('a node smaller than the worker is spared, and ended with hog_policy "any"', () =>
    Effect.gen(function* () {
      for (const policy of ["cause", "any"]) {
        const large = { ...child, mebibytes: 150 }
        const guarded = yield* guardedMachine({
          memory: `hog_policy = "${policy}"\n`,
          worker: parentOf(hoarding(large))
        })
        const { full, hoarder, isGone, memoryIs, status } = guarded
        const { worker_pid } = yield* status("the worker runs", (data) => data.worker_status === "running")
        const childPid = yield* full(large)
        const hog = yield* hoarder({ tag: "hog", mebibytes: 100 })
        yield* memoryIs(low)
        if (policy === "any") yield* isGone(hog)
        yield* foundNothing(guarded)
        if (policy === "cause") assertAlive(guarded, hog)
        assertAlive(guarded, worker_pid ?? 0, childPid)
        yield* worksOn(guarded, worker_pid)
      }
    })
  )

  live("a leftover of an earlier worker is killed, whatever its name and size", () =>
    Effect.gen(function* () {
      const guarded = yield* guardedMachine({ worker: sleeper })
      const { home, isGone, logged, machine, memoryIs } = guarded
      const homeId = fs.readFileSync(join(home, "id"), "utf8").trim()
      yield* machine.start({
        argv: ["/bin/sh", "-c", "(setsid sleep 99999 &)"],
        env: { AUTOPILOT_WORKER_ID: `${homeId}:default:5e0f3f1c-8f0b-4c39-9d53-0a4f2ab4f1d7` }
      })
      const orphan = yield* eventually("it is lost", () =>
        machine.running((argv) => argv[1] === "99999").at(0)
      )
      yield* memoryIs(low)
      yield* isGone(orphan)
      assert.match(
        yield* logged(/Sending SIGTERM /),
        new RegExp(`Sending SIGTERM to sleep \\(pid ${orphan}, `)
      )
      yield* foundNothing(guarded)
    })
  )

  live("an orphan of a worker is killed while the worker runs on", () =>
    Effect.gen(function* () {
      const lost = { tag: "lost", mebibytes: 90 }
      const kept = { tag: "kept", mebibytes: 140 }
      const line = `setsid sh -c '("$@" &)' sh "$1" "$2" "$3"; "$1" "$2" "$4" & wait`
      const [node = "", script = "", ofLost = ""] = hoarding(lost)
      const guarded = yield* guardedMachine({
        worker: ["/bin/sh", "-c", line, "sh", node, script, ofLost, hoarding(kept)[2] ?? ""]
      })
      const { full, isGone, logged, memoryIs, status } = guarded
      const { worker_pid } = yield* status("the worker runs", (data) => data.worker_status === "running")
      const keptPid = yield* full(kept)
      const lostPid = yield* full(lost)
      yield* memoryIs(low)
      yield* isGone(lostPid)
      assert.match(
        yield* logged(/Sending SIGTERM /),
        new RegExp(`Sending SIGTERM to node \\(pid ${lostPid}, `)
      )
      yield* foundNothing(guarded)
      assertAlive(guarded, keptPid)
      yield* worksOn(guarded, worker_pid)
    })
  )

  live("a hog that ignores TERM gets it once and is then killed, and so is the next one", () =>
    Effect.gen(function* () {
      // So that the worker, which holds next to nothing, is left alone.
      const guarded = yield* guardedMachine({
        memory: 'critical_restart = "if-cause"\n',
        worker: sleeper
      })
      const { hoarder, home, isGone, log, memoryIs } = guarded
      const termsTo = join(home, "terms")
      const first = yield* hoarder({ tag: "first", mebibytes: 200, termsTo })
      const second = yield* hoarder({ tag: "second", mebibytes: 100, termsTo })
      const hogs = [first, second]
      yield* memoryIs(critical)
      for (const hog of hogs) {
        yield* isGone(hog)
        yield* guarded.logged(new RegExp(`node \\(pid ${hog}\\) exited after `))
      }
      // On a slow machine SIGKILL may come before a hog has noted its SIGTERM, but never two SIGTERM.
      const noted = fs.existsSync(termsTo) ? fs.readFileSync(termsTo, "utf8").trim().split("\n") : []
      assert.deepStrictEqual(
        noted.map(Number),
        hogs.filter((hog) => noted.includes(String(hog)))
      )
      assert.deepStrictEqual(
        [...log().matchAll(/Sending (SIGTERM|SIGKILL) to node \(pid ([0-9]+)/g)].map(
          ([, signal, pid]) => `${signal} ${pid}`
        ),
        hogs.flatMap((hog) => [`SIGTERM ${hog}`, `SIGKILL ${hog}`])
      )
    })
  )

  live(
    'nobody is ended with dry_run, nor a protected one, nor one that is no worker\'s with hog_policy "own"',
    () =>
      Effect.gen(function* () {
        const cases = [
          ["dry_run = true\n", /else the daemon would send SIGTERM to node \(pid \d+, .*: memory is low/],
          ['protect = ["the-hog"]\n', /Nothing is done although memory is low .*protect/],
          ['hog_policy = "own"\n', /Nothing is done although memory is low/]
        ] as const
        for (const [memory, said] of cases) {
          const guarded = yield* guardedMachine({ memory, worker: sleeper })
          const hog = yield* guarded.hoarder({ tag: "the-hog", mebibytes: 120 })
          yield* guarded.memoryIs(low)
          assert.include(yield* guarded.logged(said), `${hog}`)
          assertAlive(guarded, hog)
          assert.notMatch(guarded.log(), /Sending SIG/)
        }
      })
  )

  live("Node 20, 22 and 24 are recognised by their program file, whatever their title", () =>
    Effect.gen(function* () {
      const [twentyTwo, twentyFour] = yield* Effect.promise(() => Promise.all([22, 24].map(nodeFolder)))
      const guarded = yield* guardedMachine({ worker: sleeper })
      const { hoarder, isGone, logged, memoryIs } = guarded
      const hogs = [
        yield* hoarder({ tag: "own", mebibytes: 100 }),
        yield* hoarder({ tag: "named", mebibytes: 100, comm: "MainThread" }),
        yield* hoarder({ tag: "22", mebibytes: 100 }, `${twentyTwo}/node`),
        yield* hoarder({ tag: "24", mebibytes: 100 }, `${twentyFour}/node`)
      ]
      yield* memoryIs(low)
      for (const hog of hogs) {
        yield* isGone(hog)
        yield* logged(new RegExp(`Sending SIGTERM to node \\(pid ${hog}, `))
      }
    })
  )
})
