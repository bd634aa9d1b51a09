import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { tcpServer } from "../../fixtures/LocalServer.ts"
import { unlessMissing } from "../../fixtures/Missing.ts"
import { eventually, run } from "../TestDaemon.ts"
import { distantSshBed, noSshd, sshBed } from "./SshBed.ts"

describe("the panel of another machine", () => {
  unlessMissing(...noSshd)("opens here by the link that it prints, and ends with the command", () =>
    Effect.gen(function* () {
      const bed = yield* distantSshBed
      const panel = yield* run({ home: bed.home, args: ["gui", "--host", "bash"], env: bed.env })
      const [, origin = "", token = ""] = yield* eventually(
        "the panel prints its link",
        () =>
          /The panel is at (http:\/\/127\.0\.0\.1:\d+)\/#token=([\w-]+)\n/.exec(panel.stdout()) ?? undefined
      )
      const asked = () =>
        fetch(`${origin}/api/panel`, { headers: { "x-autopilotd-token": token } }).then((response) =>
          response.json()
        )
      assert.hasAllKeys(yield* Effect.promise(asked), ["pid", "version"])
      panel.child.kill("SIGINT")
      assert.strictEqual((yield* panel.ended).code, 130)
      yield* eventually(
        "the port is closed",
        Effect.promise(() =>
          asked().then(
            () => undefined,
            () => true
          )
        )
      )
    })
  )

  unlessMissing(...noSshd)("needs a free port here, and no browser there", () =>
    Effect.gen(function* () {
      const { here } = yield* sshBed
      const taken = yield* tcpServer()
      const told = yield* here(["gui", "--host", "bash", "--port", String(taken.port)])
      assert.strictEqual(told.code, 1)
      assert.match(
        told.stderr,
        /^autopilotd: Port \d+ of 127\.0\.0\.1 cannot lead to the other machine: .*EADDRINUSE.*--port/
      )
      const open = yield* here(["gui", "--host", "bash", "--open"])
      assert.strictEqual(open.code, 2)
      assert.match(open.stderr, /--open opens a browser on the machine of the panel/)
    })
  )
})
