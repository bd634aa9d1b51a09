import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { fixedZone, type Zone } from "../../Domain/text/LocalTime.ts"
import { startPiped } from "../files/ProgramStart.ts"
import { namedZone, processZone } from "./ProcessZone.ts"

/** The present offset in a zone as the C library reads it: `+03:30`. UTC where date(1) does not say. */
const offsetIn = (zone: string | undefined): Effect.Effect<string> =>
  Effect.gen(function* () {
    const ended = yield* Deferred.make<string>()
    let said = ""
    yield* startPiped("date", ["+%z"], { env: { ...process.env, TZ: zone }, timeout: 5000 }, (child) => {
      child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString("latin1")))
      child.once("close", () => Deferred.unsafeDone(ended, Exit.succeed(said)))
    })
    const [, hours, minutes] = /^([+-]\d\d)(\d\d)\n/.exec(yield* Deferred.await(ended)) ?? []
    return hours === undefined ? "UTC" : `${hours}:${minutes}`
  }).pipe(Effect.orElseSucceed(() => "UTC"))

/** The zones that Node knows, by TZ: to make a formatter takes as long as to save a state. */
const known = new Map<string | undefined, string>()

/**
 * The time zone of a variable TZ: a name, or an offset where Node does not understand it. Node takes an empty one
 * and rules as `<+0330>-3:30` for no zone at all, but programs of the C library show their time in it.
 */
export const timeZoneOf = (TZ: string | undefined): Effect.Effect<string> => {
  // POSIX: an empty zone is UTC.
  if (TZ === "" || TZ === ":") return Effect.succeed("UTC")
  const earlier = known.get(TZ)
  if (earlier !== undefined) return Effect.succeed(earlier)
  const zone = TZ === undefined ? Intl.DateTimeFormat().resolvedOptions().timeZone : TZ.replace(/^:/, "")
  const name = namedZone(zone)
  // An offset changes with the season.
  if (name === undefined) return offsetIn(TZ)
  known.set(TZ, name)
  return Effect.succeed(name)
}

const minuteMs = 60_000

/** The zone of an offset such as `-03:30`; UTC has none. */
const zoneAhead = (offset: string): Zone => {
  const [, sign = "+", hours = 0, minutes = 0] = /^([+-])(\d\d):(\d\d)$/.exec(offset) ?? []
  return fixedZone((sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * minuteMs)
}

/** The time zone of this process, in which it shows times and reads those of a user. */
export const localZone: Effect.Effect<Zone> = Effect.suspend(() => {
  const zone = processZone()
  return zone === undefined ? Effect.map(timeZoneOf(process.env["TZ"]), zoneAhead) : Effect.succeed(zone)
})
