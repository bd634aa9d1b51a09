import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { sourcesOf } from "../Sources.ts"
import { daemon } from "./Daemon.ts"

/** The daemon has ended, but not as it should; its log has said why. */
export class EndedBadly extends Data.TaggedError("EndedBadly")<{ readonly code: number }> {}

/** `autopilotd start` in the foreground: returns when the daemon has ended cleanly. */
export const start = Effect.fnUntraced(function* (invocation: Invocation) {
  const sources = yield* sourcesOf(invocation)
  const code = yield* daemon({
    sources,
    keepState: invocation.options.keepState === true,
    raw: invocation.options.raw === true
  })
  if (code !== 0) return yield* new EndedBadly({ code })
})
