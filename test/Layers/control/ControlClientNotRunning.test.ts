import * as Fs from "node:fs"
import * as Path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { listening, originalDaemon } from "../../fixtures/OriginalDaemon.ts"
import { ask, socketPath } from "../../fixtures/ServedControl.ts"
import { temporaryFolder } from "../../fixtures/TemporaryFolder.ts"

describe("the control client without a daemon", () => {
  it.scopedLive("reports no daemon: no socket, no folder, a socket or file without a listener", () =>
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
          `No daemon is listening on ${path}. Start it with: autopilotd start`
        )
      }
    })
  )

  it.scopedLive("reports that the daemon belongs to another user", () =>
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
