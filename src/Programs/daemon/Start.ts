import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { checkProc } from "../../Layers/machine/ProcFs.ts"
import { sourcesOf } from "../Sources.ts"
import { daemon } from "./Daemon.ts"

/** The daemon exited after a failure, which its log explains. */
class EndedBadly extends Data.TaggedError("EndedBadly")<{ readonly code: number }> {}

/** `autopilotd start` in the foreground: returns after a clean shutdown. */
export const start = Effect.fnUntraced(function* (invocation: Invocation) {
  yield* checkProc
  const sources = yield* sourcesOf(invocation)
  const code = yield* daemon({
    sources,
    keepState: invocation.options.keepState === true,
    raw: invocation.options.raw === true
  })
  if (code !== 0) return yield* new EndedBadly({ code })
})
