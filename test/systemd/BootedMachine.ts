import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { unlessMissing } from "../fixtures/Missing.ts"
import { eventually } from "../live/TestDaemon.ts"
import { type Machine, machine, noMachine } from "./Machine.ts"

/** Why no machine can be booted here; undefined when one can. */
export const noBootedMachine = ((): string | undefined => {
  if (noMachine !== undefined) return noMachine
  const needed = [
    ["logind", "/lib/systemd/systemd-logind"],
    ["pam_systemd", "/usr/share/pam-configs/systemd"]
  ] as const
  const missing = needed.filter(([, path]) => !fs.existsSync(path)).map(([name]) => name)
  return missing.length === 0 ? undefined : `missing: ${missing.join(", ")}`
})()

export interface BootedMachine extends Machine {
  /** Lets the user's services run without a login, from now on and after each boot. */
  readonly linger: Effect.Effect<void>
  readonly reboot: Effect.Effect<void>
  readonly powerOff: Effect.Effect<void>
}

const up = (booted: Machine) =>
  eventually(
    "the machine has booted",
    Effect.map(booted.run("test -S /run/dbus/system_bus_socket"), ({ code }) => code === 0 || undefined)
  ).pipe(
    Effect.zipRight(
      eventually(
        "its logins are possible",
        Effect.map(booted.run("systemctl is-active machine.target"), ({ code }) => code === 0 || undefined)
      )
    ),
    Effect.asVoid
  )

/** systemd as process 1, with logind and no user logged in. */
export const bootedMachine: Effect.Effect<BootedMachine, never, Scope.Scope> = Effect.gen(function* () {
  const booted = yield* machine("booted-machine")
  yield* up(booted)
  return {
    ...booted,
    linger: booted.asRoot("loginctl enable-linger tester").pipe(
      Effect.zipRight(
        eventually(
          "the manager of the user is up",
          Effect.map(
            booted.run("systemctl --user is-active default.target"),
            ({ code }) => code === 0 || undefined
          )
        )
      ),
      Effect.asVoid
    ),
    reboot: Effect.gen(function* () {
      const before = booted.boots()
      // The command may be gone before it can say that it has succeeded.
      yield* Effect.exit(booted.asRoot("systemctl --no-block reboot"))
      yield* eventually("the machine boots again", () => booted.boots() > before)
      yield* up(booted)
    }),
    powerOff: Effect.gen(function* () {
      yield* Effect.exit(booted.asRoot("systemctl --no-block poweroff"))
      yield* eventually("the machine is off", () => booted.isOff() || undefined)
    })
  }
})

/** A test with a machine of its own that has booted; skipped, with the reason, where none can be had. */
export const onBootedMachine = (
  what: string,
  test: (machine: BootedMachine) => Effect.Effect<void, unknown, Scope.Scope>
): void => unlessMissing(noBootedMachine)(what, () => Effect.flatMap(bootedMachine, test))
