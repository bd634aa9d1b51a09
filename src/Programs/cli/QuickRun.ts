import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import type { Outcome, Reading, ReadingOf } from "../../Domain/cli/Dialogue.ts"
import { quickReplyShapes } from "../../Domain/control/ReplyShapes.ts"
import type { HistoryFound, HistoryQuery } from "../../Domain/history/HistoryQuery.ts"
import { fitted, jsonIn, misfit } from "../../Domain/Shape.ts"
import { harmlessText } from "../../Domain/text/Printable.ts"
import { type Exchanged, exchangeLimits, exchangeOverDisk } from "../../Layers/control/Exchange.ts"
import { autopilotFolder, socketBelow } from "../../Layers/daemon/HomeFolder.ts"
import { clockTime } from "../../Layers/output/ClockTime.ts"
import { showsColour, terminalColumns } from "../../Layers/output/TerminalColour.ts"
import { canAsk, confirmed } from "../../Layers/output/TerminalQuestion.ts"
import { concluded } from "./Conclusion.ts"

/** The decoded answer; `misfit` for one that only the whole program can explain. */
export const replyIn = (type: string, exchanged: Exchanged): unknown => {
  const { of, shapes } = quickReplyShapes()
  const shape = shapes[of[type] ?? -1]
  return exchanged._tag !== "Answered" || shape === undefined ? misfit : fitted(shape, jsonIn(exchanged.text))
}

/** The surroundings of a dialogue, but for the zone. */
type Surroundings = Omit<Parameters<ReadingOf>[1], "zone">

/** What a bundle of quick commands has beside what they share. */
interface QuickRoad {
  /** The dialogue of a command; undefined when it needs the whole program. */
  readonly dialogueOf: (invocation: Invocation, surroundings: Surroundings) => Reading | undefined
  /** Reads the history; rejects with a system error. */
  readonly read?: (root: string, query: HistoryQuery) => Promise<HistoryFound>
}

/** Carries a dialogue out, and notes its exchanges. Undefined when one of its steps needs the whole program. */
const converse = async (
  dialogue: Reading,
  root: string,
  earlier: Array<Exchanged>,
  { read }: QuickRoad
): Promise<Outcome | undefined> => {
  const socket = socketBelow(root)
  let step = dialogue.next()
  while (step.done !== true) {
    if (step.value._tag === "RequireProject") return undefined
    if (step.value._tag === "ReadHistory") {
      const found = await read?.(root, step.value.query)
      if (found === undefined) return undefined
      step = dialogue.next(found)
      continue
    }
    if (step.value._tag === "Pause") {
      const { durationMs } = step.value
      await new Promise((resolve) => setTimeout(resolve, durationMs))
      step = dialogue.next()
      continue
    }
    if (step.value._tag === "Confirm") {
      step = dialogue.next(await confirmed(harmlessText(step.value.question)))
      continue
    }
    const { patience, question } = step.value
    const limits = { ...exchangeLimits, ...patience }
    const exchanged = await exchangeOverDisk(socket, JSON.stringify(question), limits)
    earlier.push(exchanged)
    const reply = replyIn(question.type, exchanged)
    if (reply === misfit) return undefined
    step = dialogue.next(reply)
  }
  return step.value
}

const surroundings = (): Surroundings => ({
  clockTime,
  colour: showsColour(),
  columns: terminalColumns(),
  // Standard input is opened only for a question.
  get canAsk() {
    return canAsk()
  },
  nowMs: Date.now
})

/** The exit code, or the exchanges of a command with which the whole program has to go on. */
export type Ran = number | ReadonlyArray<Exchanged>

/**
 * Runs a command that only talks to the daemon, or reads the history too, without Effect and Schema, which take longer to load
 * than the daemon to answer. Where something goes wrong that it has not printed, the whole program has the words.
 */
export const runQuickly = async (invocation: Invocation, road: QuickRoad): Promise<Ran> => {
  const earlier: Array<Exchanged> = []
  const root = autopilotFolder()
  // The whole program checks that --config names a file.
  if (root === undefined || invocation.options.config !== undefined) return earlier
  const dialogue = road.dialogueOf(invocation, surroundings())
  if (dialogue === undefined) return earlier
  // A bug, or a file that cannot be read: the whole program comes to the same one with these exchanges, and reports it.
  const outcome = await converse(dialogue, root, earlier, road).catch(() => undefined)
  if (outcome === undefined) return earlier
  return (await concluded(outcome, invocation.verb)) ?? earlier
}
