import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { renderAgentLine } from "../../Domain/agent/AgentText.ts"
import { allowed, maxJournalLineBytes, noAllowance } from "../../Domain/logs/JournalAllowance.ts"
import { countLines, type Lines, prefixed } from "../../Domain/output/Lines.ts"
import type { OutputStream } from "../../Domain/output/OutputTail.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import { wantsPlain } from "../output/CommandOutput.ts"
import { OwnOutput } from "../output/OwnOutput.ts"

/**
 * Shows the output of workers on the daemon's own output, each line after the name of its project: in readable form on a
 * terminal, within an allowance in the journal, unchanged elsewhere.
 */
export class WorkerEcho extends Context.Tag("WorkerEcho")<
  WorkerEcho,
  {
    /** Takes whole lines. Costs almost nothing when the output is closed. */
    readonly show: (
      project: ProjectName,
      stream: OutputStream,
      lines: Lines,
      options: { readonly journal: boolean }
    ) => void
  }
>() {}

const newline = 0x0a
const openingBrace = 0x7b
const cutMark = " [cut here: worker.log has all of the line]"

/** The first `limit` lines, without newlines. */
function* each(lines: Lines, limit = Number.POSITIVE_INFINITY): Generator<Buffer> {
  let from = 0
  for (let at = lines.indexOf(newline); at !== -1 && limit > 0; at = lines.indexOf(newline, from), limit--) {
    yield lines.subarray(from, at)
    from = at + 1
  }
}

/** Renders the JSON lines of agents; other lines stay unchanged. */
const readable = (prefix: Buffer, lines: Lines, colour: boolean): Lines => {
  if (lines[0] !== openingBrace && !lines.includes("\n{")) return prefixed(prefix, lines)
  const shown: Array<Buffer> = []
  for (const line of each(lines)) {
    if (line[0] !== openingBrace) shown.push(line, Buffer.of(newline))
    else {
      const text = renderAgentLine(line.toString("utf8"), { colour })
      if (text !== undefined) shown.push(Buffer.from(`${text}\n`))
    }
  }
  return prefixed(prefix, Buffer.concat(shown))
}

const forJournal = (prefix: string, lines: Lines, limit: number): Lines => {
  const shown: Array<Buffer> = []
  for (const line of each(lines, limit)) {
    const isLong = line.length > maxJournalLineBytes
    shown.push(Buffer.from(prefix), line.subarray(0, maxJournalLineBytes))
    shown.push(Buffer.from(isLong ? `${cutMark}\n` : "\n"))
  }
  return Buffer.concat(shown)
}

/** `raw` shows lines unchanged on a terminal too. */
export const layer = (options: { readonly raw: boolean }): Layer.Layer<WorkerEcho, never, OwnOutput> =>
  Layer.effect(
    WorkerEcho,
    Effect.map(OwnOutput, (own) => {
      const colour = !wantsPlain()
      let allowance = noAllowance
      const leftOut = new Map<ProjectName, number>()

      const journal = (project: ProjectName, stream: OutputStream, lines: Lines) => {
        const to = own[stream]
        const count = countLines(lines)
        const [taken, rest] = allowed(allowance, performance.now(), count)
        const missing = leftOut.get(project) ?? 0
        // The journal limits each priority separately; the daemon's own errors have another one.
        const prefix = `<6>${project}| `
        const note =
          missing === 0
            ? ""
            : `${prefix}... ${missing} lines are left out here; read them in logs/${project}/worker.log\n`
        const shown = Buffer.concat([Buffer.from(note), forJournal(prefix, lines, taken)])
        // A blocked journal must not cost the daemon its own lines.
        const isShown = taken > 0 && to.roomBytes() >= shown.length
        if (isShown) {
          allowance = rest
          to.write(shown)
        }
        leftOut.set(project, isShown ? count - taken : missing + count)
      }

      return {
        show: (project, stream, lines, wants) => {
          const to = own[stream]
          if (lines.length === 0 || !to.isOpen()) return
          if (to.kind === "journal") {
            if (wants.journal) journal(project, stream, lines)
            return
          }
          if (to.roomBytes() < lines.length) {
            to.leaveOut(countLines(lines))
            return
          }
          const prefix = Buffer.from(`${project}| `)
          const isReadable = to.kind === "terminal" && !options.raw
          to.write(isReadable ? readable(prefix, lines, colour) : prefixed(prefix, lines))
        }
      }
    })
  )
