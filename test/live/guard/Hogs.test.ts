import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { command, eventually, isAlive, startDaemon, temporaryHome } from "../TestDaemon.ts"

interface Row {
  readonly pid: number
  readonly name: string
  readonly kind: string
  readonly memory_bytes: number
  readonly project?: string
}

/** Node with 150 MiB, which says its pid. */
const hoards = `
  const held = Buffer.alloc(150 * 2 ** 20, 1)
  require("fs").writeFileSync(process.argv[1] + ".new", String(process.pid))
  require("fs").renameSync(process.argv[1] + ".new", process.argv[1])
  setInterval(() => held, 1000)`

const settings = `
[memory]
node_kill_threshold_bytes = ${100 * 2 ** 20}
`

describe("autopilotd hogs", () => {
  it.scopedLive("lists a process that has left its worker, spares the worker, and kills nothing", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const [hoarder, lost, kept] = ["hoarder.js", "lost", "kept"].map((name) => join(home, name))
      fs.writeFileSync(`${hoarder}`, hoards)
      const node = (file: string | undefined) => `node -e "$(cat ${hoarder})" ${file}`
      const line = `setsid sh -c '(${node(lost)} &)'; ${node(kept)} & wait`
      yield* startDaemon({ home, settings, worker: ["/bin/sh", "-c", line] })
      const pidIn = (file: string | undefined) =>
        eventually(`${file} is written`, () =>
          fs.existsSync(`${file}`) ? Number(fs.readFileSync(`${file}`, "utf8")) : undefined
        )
      const [lostPid, keptPid] = [yield* pidIn(lost), yield* pidIn(kept)]

      const { code, stderr, stdout } = yield* command({ home, args: ["hogs", "--json"] })
      assert.deepStrictEqual([code, stderr], [0, ""])
      const { data } = JSON.parse(stdout)
      const ended: ReadonlyArray<Row> = data.would_end
      const spared: ReadonlyArray<Row> = data.would_spare
      const orphan = ended.find(({ pid }) => pid === lostPid)
      assert(orphan !== undefined, stdout)
      assert.deepInclude(orphan, { kind: "orphan", name: "node", project: "default" })
      assert.isAbove(orphan.memory_bytes, 150 * 2 ** 20)
      // Before every stranger, whatever else runs on this machine.
      assert.notInclude(
        ended
          .slice(
            0,
            ended.findIndex(({ pid }) => pid === lostPid)
          )
          .map(({ kind }) => kind),
        "hog"
      )
      const part = spared.find(({ pid }) => pid === keptPid)
      assert.deepStrictEqual([part?.kind, part?.project], ["worker", "default"])
      assert.notInclude(
        ended.map(({ pid }) => pid),
        keptPid
      )

      const text = yield* command({ home, args: ["hogs"] })
      assert.match(text.stdout, /^Memory is /)
      assert.match(
        text.stdout,
        new RegExp(`^ +${lostPid} +node .* detached from the running worker of "default"`, "m")
      )
      for (const pid of [lostPid, keptPid]) assert.isTrue(isAlive(pid))
    })
  )
})
