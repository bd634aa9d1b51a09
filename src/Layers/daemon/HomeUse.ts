import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import { AutopilotHome } from "./AutopilotHome.ts"

const isThere = (path: string) =>
  Effect.promise(() =>
    fs.stat(path).then(
      () => true,
      () => false
    )
  )

/** Whether this machine has a daemon or settings for one: a home may hold no more than hosts.toml. */
export const isHomeInUse: Effect.Effect<boolean, never, AutopilotHome> = Effect.flatMap(
  AutopilotHome,
  ({ settingsFile, socket }) =>
    Effect.map(Effect.all([isThere(settingsFile), isThere(socket)]), (found) => found.includes(true))
)
