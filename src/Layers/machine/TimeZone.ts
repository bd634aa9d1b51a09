import { readlinkSync } from "node:fs"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { fixedZone, localDay, type Zone } from "../../Domain/text/LocalTime.ts"
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

const isUtc = (zone: string): boolean => /^(Etc\/)?(UTC|UCT|Zulu|Universal)$/.test(zone)

/** Whether Date has a zone other than UTC, which it takes where it does not understand one. */
const dateHasZone = (): boolean => [0, 6].some((month) => new Date(2026, month).getTimezoneOffset() !== 0)

/**
 * The zone of the machine, where it is plain that Date has the same: undefined otherwise. Intl knows it always, but its first
 * formatter costs a daemon 8 MiB for good, and 30 ms at its start.
 */
const machineZone = (): string | undefined => {
  try {
    const [, zone] = /\/zoneinfo\/(?:posix\/|right\/)?(.+)$/.exec(readlinkSync("/etc/localtime")) ?? []
    return zone !== undefined && (isUtc(zone) || dateHasZone()) ? zone : undefined
  } catch {
    return undefined
  }
}

/**
 * The time zone of a variable TZ: a name, or an offset where Node does not understand it. Node takes an empty one
 * and rules as `<+0330>-3:30` for no zone at all, but programs of the C library show their time in it.
 */
export const timeZoneOf = (TZ: string | undefined): Effect.Effect<string> => {
  // POSIX: an empty zone is UTC.
  if (TZ === "" || TZ === ":") return Effect.succeed("UTC")
  const name =
    TZ === undefined
      ? (machineZone() ?? namedZone(Intl.DateTimeFormat().resolvedOptions().timeZone))
      : namedZone(TZ.replace(/^:/, ""))
  // An offset changes with the season.
  return name === undefined ? offsetIn(TZ) : Effect.succeed(name)
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

/** The present day in the zone of this process: `2026-11-20`. */
export const today: Effect.Effect<string> = Effect.flatMap(localZone, (zone) =>
  Effect.map(Clock.currentTimeMillis, (nowMs) => localDay(nowMs, zone))
)
