import { execFile } from "node:child_process"
import * as Effect from "effect/Effect"

/** The name of the zone, if Node knows it. */
const named = (zone: string): string | undefined => {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone
  } catch {
    return undefined
  }
}

/** The present offset in a zone as the C library reads it: `+03:30`. */
const offsetIn = (zone: string | undefined): Effect.Effect<string> =>
  Effect.async((resume) => {
    const env = { ...process.env, TZ: zone }
    execFile("date", ["+%z"], { env, timeout: 5000 }, (_, stdout) => {
      const [, hours, minutes] = /^([+-]\d\d)(\d\d)\n/.exec(stdout) ?? []
      resume(Effect.succeed(hours === undefined ? "UTC" : `${hours}:${minutes}`))
    })
  })

/**
 * The time zone of a worker: a name, or an offset where Node does not understand the variable TZ. It takes an empty one
 * and rules as `<+0330>-3:30` for no zone at all, but programs of the C library show their time in it.
 */
export const workerTimeZone = (TZ: string | undefined): Effect.Effect<string> => {
  // POSIX: an empty zone is UTC.
  if (TZ === "" || TZ === ":") return Effect.succeed("UTC")
  const zone = TZ === undefined ? Intl.DateTimeFormat().resolvedOptions().timeZone : TZ.replace(/^:/, "")
  const name = named(zone)
  return name === undefined ? offsetIn(TZ) : Effect.succeed(name)
}
