import * as fs from "node:fs"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  isMainProcess,
  type OwnUnitFacts,
  type UnitName,
  unitFacts,
  unitOfGroups,
  unitProperties
} from "../../Domain/systemd/OwnUnitFacts.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { SystemdTools } from "./SystemdTools.ts"

/** The systemd unit whose main process this daemon is. */
export class OwnUnit extends Context.Tag("OwnUnit")<
  OwnUnit,
  {
    /** Read once. Undefined when systemd did not start this process, or did not describe the unit. */
    readonly facts: Effect.Effect<OwnUnitFacts | undefined>
  }
>() {}

interface OwnProcess {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly pid: number
  readonly cgroupFile: string
}

/** Undefined for a process that merely descends from a unit, as in a terminal that a unit has opened. */
const unitOfThisProcess = ({ cgroupFile, environment, pid }: OwnProcess): UnitName | undefined => {
  if (!isMainProcess(environment, pid)) return undefined
  try {
    return unitOfGroups(fs.readFileSync(cgroupFile, "utf8"), environment["MANAGERPID"] !== undefined)
  } catch {
    // Without /proc there is no cgroup either.
    return undefined
  }
}

const make = (own: OwnProcess) =>
  Effect.gen(function* () {
    const { run } = yield* SystemdTools
    const events = yield* DaemonEvents

    const describe = Effect.fnUntraced(function* (unit: UnitName) {
      const manager = unit.manager === "user" ? ["--user"] : []
      const { code, stderr, stdout } = yield* run("systemctl", [
        ...manager,
        "show",
        `--property=${unitProperties}`,
        "--",
        unit.name
      ])
      const facts = code === 0 ? unitFacts(unit, stdout) : undefined
      if (facts !== undefined) return facts
      const reason = stderr.trim() === "" ? `its answer cannot be used: ${stdout.trim()}` : stderr.trim()
      yield* events.publish({ _tag: "OwnUnitUnknown", unit: unit.name, reason })
      return undefined
    })

    const facts = Effect.suspend(() => {
      const unit = unitOfThisProcess(own)
      if (unit === undefined) return Effect.succeed(undefined)
      return Effect.catchTag(describe(unit), "SystemdNotAsked", ({ message }) =>
        Effect.as(events.publish({ _tag: "OwnUnitUnknown", unit: unit.name, reason: message }), undefined)
      )
    })
    return OwnUnit.of({ facts: yield* Effect.cached(facts) })
  })

export const layerFor = (own: OwnProcess): Layer.Layer<OwnUnit, never, SystemdTools | DaemonEvents> =>
  Layer.effect(OwnUnit, make(own))

export const layer = layerFor({
  environment: process.env,
  pid: process.pid,
  cgroupFile: "/proc/self/cgroup"
})
