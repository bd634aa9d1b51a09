import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Path from "node:path"
import type { ControlRequest } from "../../src/Domain/ControlProtocol.ts"
import { ProjectName } from "../../src/Domain/Project.ts"
import * as ControlClient from "../../src/Layers/ControlClient.ts"
import { listening, originalDaemon, originalReplies, resettingDaemon } from "../fixtures/OriginalDaemon.ts"
import { talk } from "../fixtures/RawClient.ts"
import { data, served, temporaryFolder } from "../fixtures/ServedControl.ts"

const ask = (
  path: string,
  request: ControlRequest = { type: "Status" },
  limits: Partial<ControlClient.ControlClientLimits> = {}
) =>
  Effect.flatMap(ControlClient.ControlClient, (client) => client.request(request, limits)).pipe(
    Effect.provide(ControlClient.layer({ path }))
  )

const socketPath = Effect.map(temporaryFolder, (folder) => Path.join(folder, "autopilotd.sock"))

describe("the control client without a daemon", () => {
  it.scopedLive(
    "says that it is not running: no socket, no folder, a socket or file that nobody listens at",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const dead = Path.join(folder, "dead.sock")
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* listening(`${dead}.bound`, () => undefined)
            // Node unlinks only the name that it has bound.
            Fs.renameSync(`${dead}.bound`, dead)
          })
        )
        assert.isTrue(Fs.statSync(dead).isSocket())
        Fs.writeFileSync(Path.join(folder, "file"), "")
        for (const path of [
          Path.join(folder, "none.sock"),
          Path.join(folder, "none", "autopilotd.sock"),
          Path.join(folder, "file", "autopilotd.sock"),
          Path.join(folder, "file"),
          Path.join(folder, "x".repeat(108)),
          folder,
          dead
        ]) {
          const error = yield* Effect.flip(ask(path))
          assert.strictEqual(error._tag, "NotRunning", path)
          assert.strictEqual(
            error.message,
            `The daemon is not running: nobody listens at ${path}. Start it with: autopilotd start`
          )
        }
      })
  )

  it.scopedLive("says that another user's daemon is another user's", () =>
    Effect.gen(function* () {
      const path = yield* socketPath
      yield* originalDaemon(path)
      const folder = Path.dirname(path)
      yield* Effect.acquireRelease(
        Effect.sync(() => Fs.chmodSync(folder, 0o000)),
        () => Effect.sync(() => Fs.chmodSync(folder, 0o700))
      )
      // Modes do not bind root, so root asks as somebody else.
      if (process.geteuid?.() === 0) {
        yield* Effect.acquireRelease(
          Effect.sync(() => process.seteuid?.(65_534)),
          () => Effect.sync(() => process.seteuid?.(0))
        )
      }
      const error = yield* Effect.flip(ask(path))
      assert.strictEqual(error._tag, "ControlAccessDenied")
      assert.include(
        error.message,
        `This user may not use the control socket ${path}: the daemon belongs to another user.`
      )
    })
  )
})
