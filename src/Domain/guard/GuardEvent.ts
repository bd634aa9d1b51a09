import * as Schema from "effect/Schema"
import { MemoryFigures } from "../memory/MemorySample.ts"
import { ProjectName } from "../Project.ts"
import { humanBytes, humanDuration } from "../text/Amounts.ts"
import { printable, quoted } from "../text/Printable.ts"
import type { Message } from "../text/Style.ts"
import { perhaps } from "../Wire.ts"

/** A process that was considered. */
export const Candidate = Schema.Struct({
  pid: Schema.Int,
  name: Schema.String,
  heldBytes: Schema.Int,
  /** Why it would be killed, or not. */
  reason: Schema.String
})
export type Candidate = typeof Candidate.Type

/** The largest of the other processes: all would fill the log. */
const others = {
  /** The next victims. */
  next: Schema.Array(Candidate),
  spared: Schema.Array(Candidate)
}

const ofHog = { pid: Schema.Int, name: Schema.String }

/** True: the daemon only reports what it would do. */
const dryRun = { dryRun: Schema.Boolean }

/** Decisions and actions of the memory guard. */
export const GuardEvent = Schema.Union(
  Schema.TaggedStruct("HogSignalled", {
    ...ofHog,
    ...dryRun,
    signal: Schema.Literal("SIGTERM", "SIGKILL"),
    kind: Schema.Literal("leftover", "orphan", "hog"),
    /** Why this process. */
    reason: Schema.String,
    command: Schema.String,
    /** Swap included. */
    heldBytes: Schema.Int,
    swapBytes: Schema.Int,
    figures: MemoryFigures,
    ...others
  }),
  Schema.TaggedStruct("HogGone", { ...ofHog, afterMs: Schema.Number, figures: perhaps(MemoryFigures) }),
  Schema.TaggedStruct("HogSurvived", { ...ofHog, reason: Schema.String }),
  Schema.TaggedStruct("NobodyToEnd", { reason: Schema.String, figures: MemoryFigures, ...others }),
  Schema.TaggedStruct("ShortOfMemory", {
    /** The length of the shortage so far. */
    forMs: Schema.Number,
    /** Processes killed in that time. */
    ended: Schema.Int,
    figures: MemoryFigures,
    decision: Schema.String
  }),
  Schema.TaggedStruct("RestartedForMemory", {
    project: ProjectName,
    ...dryRun,
    heldBytes: Schema.Int,
    processes: Schema.Int,
    figures: MemoryFigures,
    /** The other workers, largest first. */
    workers: Schema.Array(Schema.Struct({ project: ProjectName, heldBytes: Schema.Int }))
  }),
  Schema.TaggedStruct("HastenedForMemory", { project: ProjectName, figures: MemoryFigures }),
  Schema.TaggedStruct("HoldEnded", {
    project: ProjectName,
    heldForMs: Schema.Number,
    figures: perhaps(MemoryFigures)
  }),
  Schema.TaggedStruct("StartedShort", { project: ProjectName, figures: MemoryFigures })
)
export type GuardEvent = typeof GuardEvent.Type

const available = ({ availableBytes, totalBytes }: MemoryFigures): string =>
  `${humanBytes(availableBytes)} of ${humanBytes(totalBytes)} available`

const short = (figures: MemoryFigures): string => {
  const { criticalBytes, level, minAvailableBytes } = figures
  const below = level === "critical" ? criticalBytes : minAvailableBytes
  return `memory is ${level} (${available(figures)}, below ${humanBytes(below)})`
}

const maxListed = 3

const listed = (title: string, candidates: ReadonlyArray<Candidate>): string => {
  if (candidates.length === 0) return ""
  const some = candidates
    .slice(0, maxListed)
    .map(
      ({ heldBytes, name, pid, reason }) =>
        `${printable(name, 40)} (pid ${pid}, ${humanBytes(heldBytes)}, ${reason})`
    )
  return `. ${title}: ${some.join("; ")}${candidates.length > maxListed ? "; and more" : ""}`
}

const next = (candidates: ReadonlyArray<Candidate>): string => listed("Next", candidates)

const spared = (candidates: ReadonlyArray<Candidate>): string => listed("Spared", candidates)

const now = (figures: MemoryFigures | undefined): string =>
  figures === undefined ? "" : `, ${available(figures)} now`

/** The event as the log shows it. */
export const describeGuard = (event: GuardEvent): Message => {
  switch (event._tag) {
    case "HogSignalled": {
      const { command, dryRun, figures, heldBytes, name, pid, reason, signal } = event
      const done = dryRun ? "memory.dry_run is on, else the daemon would send" : "Sending"
      const late = signal === "SIGKILL" ? ", which ignored SIGTERM" : ""
      const hog = `${printable(name, 40)} (pid ${pid}, ${humanBytes(heldBytes)})${late}`
      const rest = dryRun || signal === "SIGTERM" ? `${next(event.next)}${spared(event.spared)}` : ""
      return {
        level: "warning",
        text: `${done} ${signal} to ${hog}: ${short(figures)}. Reason: ${reason}. Command: ${printable(command, 120)}${rest}`
      }
    }
    case "HogGone":
      return {
        level: "info",
        text: `${printable(event.name, 40)} (pid ${event.pid}) exited after ${humanDuration(event.afterMs)}${now(event.figures)}`
      }
    case "HogSurvived":
      return {
        level: "error",
        text: `${printable(event.name, 40)} (pid ${event.pid}) could not be killed: ${event.reason}`
      }
    case "NobodyToEnd": {
      const { figures, reason } = event
      return {
        level: figures.level === "critical" ? "error" : "warning",
        text: `Nothing is done although ${short(figures)}: ${reason}${spared(event.spared)}`
      }
    }
    case "ShortOfMemory": {
      const { decision, ended, figures, forMs } = event
      const done =
        ended === 0 ? "nothing was killed" : `${ended} process${ended === 1 ? " was" : "es were"} killed`
      return {
        level: figures.level === "critical" ? "error" : "warning",
        text: `Memory has been short for ${humanDuration(forMs)}: ${short(figures)}, ${done}; ${decision}`
      }
    }
    case "RestartedForMemory": {
      const { dryRun, figures, heldBytes, processes, workers } = event
      const done = dryRun
        ? "memory.dry_run is on, else the daemon would restart the worker"
        : "Restarting the worker"
      const others = workers.map(({ heldBytes: held, project }) => `${quoted(project)} (${humanBytes(held)})`)
      const rest = others.length === 0 ? "" : `. Other workers: ${others.slice(0, maxListed).join(", ")}`
      const its = `its ${processes} process${processes === 1 ? " holds" : "es hold"} ${humanBytes(heldBytes)}`
      return {
        level: "warning",
        text: `${done}: ${short(figures)}, no other process qualifies, and ${its}${rest}`
      }
    }
    case "HastenedForMemory":
      return {
        level: "warning",
        text: `Killing the worker without its grace period: ${short(event.figures)}`
      }
    case "HoldEnded":
      return {
        level: "info",
        text: `Starting the worker, which waited ${humanDuration(event.heldForMs)} for memory${now(event.figures)}`
      }
    case "StartedShort":
      return { level: "warning", text: `The worker was started although ${short(event.figures)}` }
  }
}
