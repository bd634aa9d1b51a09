import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { renderAgentLine } from "../../Domain/adapter/AgentText.ts"
import { allowed, maxJournalLineBytes, noAllowance } from "../../Domain/logs/JournalAllowance.ts"
import { countLines, type Lines, prefixed } from "../../Domain/output/Lines.ts"
import type { OutputStream } from "../../Domain/output/OutputTail.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import { harmless } from "../../Domain/text/Printable.ts"
import { OwnOutput } from "../output/OwnOutput.ts"
import { wantsPlain } from "../output/TerminalColour.ts"

/**
 * Shows the output of workers on the daemon's own output, each line after the name of its project: in readable form on a
 * terminal, within an allowance in the journal. No control character of a worker reaches any of them: it would drive the
 * terminal, also one behind a pipe, and the journal ends an entry at a NUL.
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
const cutMark = " [cut here: worker.log has all of the line]"

/** The first `limit` lines, without newlines. */
function* each(lines: Lines, limit = Number.POSITIVE_INFINITY): Generator<Buffer> {
  let from = 0
  for (let at = lines.indexOf(newline); at !== -1 && limit > 0; at = lines.indexOf(newline, from), limit--) {
    yield lines.subarray(from, at)
    from = at + 1
  }
}

/** Text that is shown as it is; most output is, and checking a whole piece of it costs little. */
const plain = /^[\t\n -~]*$/

/** The lines in the form of `render`, which shows nothing of some. */
const rendered = (prefix: Buffer, lines: Lines, render: (line: string) => string | undefined): Lines => {
  const shown: Array<string> = []
  for (const line of each(lines)) {
    const text = render(line.toString("utf8"))
    if (text !== undefined) shown.push(`${text}\n`)
  }
  return prefixed(prefix, Buffer.from(shown.join("")))
}

const asText = (prefix: Buffer, lines: Lines): Lines =>
  plain.test(lines.toString("latin1"))
    ? prefixed(prefix, lines)
    : rendered(prefix, lines, (line) => harmless(line, false))

/** Renders the JSON lines of agents too. */
const readable = (prefix: Buffer, lines: Lines, colour: boolean): Lines => {
  const text = lines.toString("latin1")
  return plain.test(text) && !/^\{/m.test(text)
    ? prefixed(prefix, lines)
    : rendered(prefix, lines, (line) => renderAgentLine(line, { colour, readAtMs: Date.now() }))
}

const forJournal = (prefix: string, lines: Lines, limit: number): Lines => {
  const shown: Array<string> = []
  for (const line of each(lines, limit)) {
    const isLong = line.length > maxJournalLineBytes
    const text = harmless(line.toString("utf8", 0, maxJournalLineBytes), false)
    shown.push(`${prefix}${text}${isLong ? cutMark : ""}\n`)
  }
  return Buffer.from(shown.join(""))
}

/** `raw` shows lines unchanged, but not in the journal. */
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
          const prefix = Buffer.from(`${project}| `)
          const show = options.raw ? prefixed : to.kind === "terminal" ? readable : asText
          // Rendering costs more than counting, so only lines with room are rendered.
          const shown = to.roomBytes() < lines.length ? undefined : show(prefix, lines, colour)
          if (shown !== undefined && to.roomBytes() >= shown.length) to.write(shown)
          else to.leaveOut(countLines(lines))
        }
      }
    })
  )
