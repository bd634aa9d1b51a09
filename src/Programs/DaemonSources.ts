import * as Effect from "effect/Effect"
import { parse } from "../Domain/cli/CommandLine.ts"
import { shellLine } from "../Domain/text/ShellLine.ts"
import { Caller } from "../Layers/daemon/Caller.ts"
import { processStart } from "../Layers/daemon/ProcessStart.ts"
import { sourcesOf } from "./Sources.ts"

/** In characters: a prompt of several pages says no more. */
const shownLength = 200

/**
 * The sources of the settings of a running daemon: its command line, its environment and its folder. Undefined where /proc
 * does not show them, as for a daemon in another PID namespace.
 */
export const daemonSources = Effect.fnUntraced(function* (pid: number) {
  const caller = yield* Caller
  const started = yield* processStart(pid)
  if (started === undefined) return undefined
  const { argv, cwd, environment } = started
  // The runtime, its options, the bundle.
  const bundle = argv.findIndex((word, at) => at > 0 && !word.startsWith("-"))
  const args = argv.slice(bundle + 1)
  const line = parse(args)
  if (bundle === -1 || line._tag !== "Run") return undefined
  const { invocation } = line
  if (invocation.verb !== "start") return undefined
  return {
    sources: yield* Effect.provideService(sourcesOf(invocation), Caller, { ...caller, cwd, environment }),
    startedWith: `The running daemon (pid ${pid}) was started in ${cwd} with: ${shellLine(["autopilotd", ...args], shownLength)}`
  }
})
