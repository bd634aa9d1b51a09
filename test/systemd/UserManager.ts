import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { unlessMissing } from "../fixtures/Missing.ts"
import { eventually } from "../live/TestDaemon.ts"
import { type Machine, machine, noMachine } from "./Machine.ts"

/** Why no user manager can be had here; undefined when one can. */
export const noUserManager = noMachine

/** journald and `systemd --user` for a throw-away user, up and without jobs. */
export const userManager: Effect.Effect<Machine, never, Scope.Scope> = Effect.tap(
  machine("user-manager"),
  (manager) =>
    eventually(
      "the user manager is up",
      Effect.map(manager.run("systemctl --user is-active default.target"), ({ code }) => {
        if (manager.isOff()) throw new Error(`the user manager has ended: ${manager.said()}`)
        return code === 0 || undefined
      })
    )
)

/** A test with a user manager of its own; skipped, with the reason, where none can be had. */
export const underUserManager = (
  what: string,
  test: (manager: Machine) => Effect.Effect<void, unknown, Scope.Scope>
): void => unlessMissing(noUserManager)(what, () => Effect.flatMap(userManager, test))
