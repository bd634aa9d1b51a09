import * as Schema from "effect/Schema"
import { MemoryFigures } from "../memory/MemoryLook.ts"
import { ProjectName } from "../Project.ts"
import { humanBytes, humanDuration } from "../text/Amounts.ts"
import type { Message } from "../text/Level.ts"
import { printable, quoted } from "../text/Printable.ts"
import { perhaps } from "../Wire.ts"

/** A process that a decision was about. */
export const Candidate = Schema.Struct({
  pid: Schema.Int,
  name: Schema.String,
  heldBytes: Schema.Int,
  /** Why it would be ended, or not. */
  reason: Schema.String
})
export type Candidate = typeof Candidate.Type

/** The largest of the others; all of them would fill the log. */
const others = {
  /** Who would be next. */
  next: Schema.Array(Candidate),
  spared: Schema.Array(Candidate)
}

const ofHog = { pid: Schema.Int, name: Schema.String }

/** Only told what would be done. */
const dryRun = { dryRun: Schema.Boolean }

/** What the guard of the memory has decided and done. */
export const GuardEvent = Schema.Union(
  Schema.TaggedStruct("HogSignalled", {
    ...ofHog,
    ...dryRun,
    signal: Schema.Literal("SIGTERM", "SIGKILL"),
    kind: Schema.Literal("leftover", "orphan", "hog"),
    /** Why it and nobody else. */
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
    /** How long it has been so. */
    forMs: Schema.Number,
    /** Processes that were ended in that time. */
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
    /** The other workers, the one that holds most first. */
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
        `${printable(name, 40)} ${pid} (${humanBytes(heldBytes)}: ${reason})`
    )
  return `. ${title}: ${some.join("; ")}${candidates.length > maxListed ? "; and others" : ""}`
}

const next = (candidates: ReadonlyArray<Candidate>): string => listed("Next would be", candidates)

const spared = (candidates: ReadonlyArray<Candidate>): string => listed("Spared", candidates)

const now = (figures: MemoryFigures | undefined): string =>
  figures === undefined ? "" : `, ${available(figures)} now`

/** What the guard did, as a person reads it in the log. */
export const describeGuard = (event: GuardEvent): Message => {
  switch (event._tag) {
    case "HogSignalled": {
      const { command, dryRun, figures, heldBytes, name, pid, reason, signal } = event
      const done = dryRun ? "Would end (dry_run)" : signal === "SIGTERM" ? "Ending" : "Killing"
      const late = signal === "SIGKILL" && !dryRun ? ", for TERM was not enough" : ""
      const who = `${printable(name, 40)} ${pid}, which holds ${humanBytes(heldBytes)} (${reason})${late}`
      const rest = dryRun || signal === "SIGTERM" ? `${next(event.next)}${spared(event.spared)}` : ""
      return {
        level: "warning",
        text: `${done} ${who}, because ${short(figures)}: ${printable(command, 120)}${rest}`
      }
    }
    case "HogGone":
      return {
        level: "info",
        text: `${printable(event.name, 40)} ${event.pid} is gone after ${humanDuration(event.afterMs)}${now(event.figures)}`
      }
    case "HogSurvived":
      return {
        level: "error",
        text: `${printable(event.name, 40)} ${event.pid} could not be ended: ${event.reason}`
      }
    case "NobodyToEnd": {
      const { figures, reason } = event
      return {
        level: figures.level === "critical" ? "error" : "warning",
        text: `Nobody is ended although ${short(figures)}: ${reason}${spared(event.spared)}`
      }
    }
    case "ShortOfMemory": {
      const { decision, ended, figures, forMs } = event
      const done =
        ended === 0 ? "nobody was ended" : `${ended} process${ended === 1 ? " was" : "es were"} ended`
      return {
        level: figures.level === "critical" ? "error" : "warning",
        text: `Memory has been short for ${humanDuration(forMs)}: ${short(figures)}, ${done}; ${decision}`
      }
    }
    case "RestartedForMemory": {
      const { dryRun, figures, heldBytes, processes, workers } = event
      const done = dryRun ? "Would restart the worker (dry_run)" : "Restarting the worker"
      const others = workers.map(({ heldBytes: held, project }) => `${quoted(project)} (${humanBytes(held)})`)
      const rest = others.length === 0 ? "" : `. The other workers: ${others.slice(0, maxListed).join(", ")}`
      const its = `its ${processes} process${processes === 1 ? " holds" : "es hold"} ${humanBytes(heldBytes)}`
      return {
        level: "warning",
        text: `${done}, because ${short(figures)}, nobody else is to be ended, and ${its}${rest}`
      }
    }
    case "HastenedForMemory":
      return {
        level: "warning",
        text: `The worker that is being ended gets no more time, because ${short(event.figures)}`
      }
    case "HoldEnded":
      return {
        level: "info",
        text: `The worker that waited ${humanDuration(event.heldForMs)} for memory is started${now(event.figures)}`
      }
    case "StartedShort":
      return { level: "warning", text: `The worker was started although ${short(event.figures)}` }
  }
}
