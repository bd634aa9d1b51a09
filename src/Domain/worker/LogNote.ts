import { humanDuration } from "../text/Amounts.ts"
import { describeVerdict } from "../verdict/ExitVerdict.ts"
import { describeLifecycle } from "./LifecycleEvent.ts"
import type { PublishedEvent } from "./WorkerEvent.ts"

/**
 * What worker.log says at the end of a run: the exit with its verdict, and what comes next. Undefined for an event that
 * stands in the history only.
 */
export const logNoteOf = (event: PublishedEvent): string | undefined => {
  switch (event._tag) {
    case "WorkerEnded":
      return `worker exited after ${humanDuration(event.uptimeMs)}: ${describeVerdict(event.verdict)}`
    case "BackingOff":
      return `next start in ${humanDuration(event.delayMs)}, after failure ${event.failures} in a row`
    case "WorkerNotStarted":
    case "Waiting":
    case "GaveUp":
    case "PersonNeeded":
      return describeLifecycle(event).text
    default:
      return undefined
  }
}
