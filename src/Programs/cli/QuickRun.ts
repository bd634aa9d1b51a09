import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import type { Dialogue, Outcome } from "../../Domain/cli/Dialogue.ts"
import { dialogueOf } from "../../Domain/cli/Dialogues.ts"
import { exitCodeOf, exitCodes } from "../../Domain/cli/ExitCodes.ts"
import { fitted, misfit, type ReplyShapes } from "../../Domain/control/ReplyShape.ts"
import { answerText } from "../../Domain/json/JsonAnswer.ts"
import type { TwinKeys } from "../../Domain/json/Twins.ts"
import { harmlessText } from "../../Domain/text/Printable.ts"
import { type Exchanged, exchangeLimits, exchangeOverDisk } from "../../Layers/control/Exchange.ts"
import { autopilotFolder, socketBelow } from "../../Layers/daemon/HomeFolder.ts"
import { clockTime } from "../../Layers/output/ClockTime.ts"
import { showsColour, terminalColumns } from "../../Layers/output/TerminalColour.ts"
import { canAsk, confirmed } from "../../Layers/output/TerminalQuestion.ts"

/** The build makes it from the schemas of the protocol. */
declare const AUTOPILOTD_REPLY_SHAPES: ReplyShapes

/** Likewise, from the schemas of all answers. */
declare const AUTOPILOTD_TWIN_KEYS: TwinKeys

/** The decoded answer; `misfit` for one that only the whole program can explain. */
const replyIn = (type: string, exchanged: Exchanged): unknown => {
  const { of, shapes } = AUTOPILOTD_REPLY_SHAPES
  const shape = shapes[of[type] ?? -1]
  if (exchanged._tag !== "Answered" || shape === undefined) return misfit
  try {
    return fitted(shape, JSON.parse(exchanged.text))
  } catch {
    // No JSON.
    return misfit
  }
}

/** Prints text on standard output. A reader that closes its pipe is no error. */
export const print = (text: string): Promise<void> =>
  new Promise((resolve) => {
    process.stdout.on("error", () => resolve())
    process.stdout.write(harmlessText(text), () => resolve())
  })

/** Carries a dialogue out, and notes its exchanges. Undefined when one of them needs the whole program. */
const converse = async (
  dialogue: Dialogue,
  socket: string,
  earlier: Array<Exchanged>
): Promise<Outcome | undefined> => {
  let step = dialogue.next()
  while (step.done !== true) {
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

/** The exit code, or the exchanges of a command with which the whole program has to go on. */
type Ran = number | ReadonlyArray<Exchanged>

/**
 * Runs a command that only talks to the daemon, without Effect and Schema, which take longer to load than the daemon to
 * answer. Where something goes wrong that it has not printed, the whole program has the words.
 */
export const runQuickly = async (invocation: Invocation): Promise<Ran> => {
  const earlier: Array<Exchanged> = []
  const begin = dialogueOf(invocation.verb)
  const root = autopilotFolder()
  // The whole program checks that --config names a file.
  if (begin === undefined || root === undefined || invocation.options.config !== undefined) return earlier
  const dialogue = begin(invocation, {
    clockTime,
    colour: showsColour(),
    columns: terminalColumns(),
    canAsk: canAsk(),
    nowMs: Date.now
  })
  // A bug: the whole program comes to the same one with these exchanges, and reports it.
  const outcome = await converse(dialogue, socketBelow(root), earlier).catch(() => undefined)
  if (outcome === undefined) return earlier
  const { answer, out, refused } = outcome
  if (refused !== undefined && !refused.isTold) return earlier
  await print(answer === undefined ? out : answerText(answer, AUTOPILOTD_TWIN_KEYS))
  return refused === undefined ? exitCodes.done : exitCodeOf(refused.code)
}
