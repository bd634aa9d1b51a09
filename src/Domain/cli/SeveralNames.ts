import { knownCode } from "../control/ErrorCode.ts"
import type { JsonAnswer } from "../json/JsonAnswer.ts"
import { listed } from "../text/TextLayout.ts"
import { ask, type Dialogue, type DialogueOf, type Outcome, pause, refused, type Step } from "./Dialogue.ts"

/** Why a project cannot be meant, as the daemon says it. */
export const unknownProject = (name: string, known: ReadonlyArray<string>): string =>
  `There is no project "${name}" here. The projects are: ${known.join(", ")}.`

const answerOf = ({ answer, refused: failure }: Outcome): JsonAnswer =>
  answer ?? { success: false, message: failure?.reason ?? "", ...(failure && { code: failure.code }) }

/** One answer for all projects: success only if each has it. The error is that of the failures, where they agree. */
const joined = (
  outcomes: ReadonlyArray<Outcome & { readonly name: string }>,
  json: boolean | undefined,
  between: string
): Outcome => {
  const failures = outcomes.flatMap(({ name, refused: failure }) =>
    failure === undefined ? [] : [{ name, ...failure }]
  )
  const message =
    failures.length === 0
      ? `Done for ${listed(outcomes.map(({ name }) => name))}`
      : failures.map(({ name, reason }) => `${name}: ${reason}`).join("\n")
  const [failure] = failures
  const agreed = failures.every(({ code }) => code === failure?.code)
  const code = failure === undefined || agreed ? failure?.code : "several"
  const failed = code === undefined ? {} : { code }
  const out = outcomes.flatMap((outcome) => (outcome.out === "" ? [] : [outcome.out])).join(between)
  const untold = failures.filter(({ isTold }) => !isTold).map(({ reason }) => reason)
  const refused = code !== undefined && {
    refused: {
      reason: untold.length === 0 ? message : untold.join("\n"),
      isTold: json === true || untold.length === 0,
      code
    }
  }
  if (json !== true) return { out, ...refused }
  const answers = outcomes.map(({ name, ...outcome }) => ({ project: name, ...answerOf(outcome) }))
  return {
    out: "",
    answer: { success: failure === undefined, message, ...failed, data: { answers } },
    ...refused
  }
}

/** One of several dialogues at the same time: its last step, until its outcome. */
interface Turn {
  readonly name: string
  readonly dialogue: Dialogue
  step: IteratorResult<Step, Outcome>
}

/**
 * A dialogue about one project, for each project that the command line names: all go on at the same time, and pause
 * together. None begins if one of the projects is unknown.
 */
export const forEachName = (one: DialogueOf, between = ""): DialogueOf =>
  function* (invocation, surroundings) {
    const { names, ...args } = invocation.args
    if (names === undefined) return yield* one(invocation, surroundings)
    const { code, data, message } = yield* ask({ type: "Projects" })
    if (data === undefined) return refused(message, knownCode(code))
    const known = data.projects.map(({ name }) => name)
    const unknown = names.find((name) => !known.includes(name))
    if (unknown !== undefined) return refused(unknownProject(unknown, known), "unknown_project")
    const turns = names.map((project): Turn => {
      const options = { ...invocation.options, project }
      const dialogue = one({ ...invocation, args, options }, surroundings)
      return { name: project, dialogue, step: dialogue.next() }
    })
    for (;;) {
      for (const turn of turns) {
        while (turn.step.done !== true && turn.step.value._tag !== "Pause")
          turn.step = turn.dialogue.next(yield turn.step.value)
      }
      const pauses = turns.flatMap(({ step }) =>
        step.done !== true && step.value._tag === "Pause" ? [step.value.durationMs] : []
      )
      if (pauses.length === 0) break
      yield* pause(Math.min(...pauses))
      for (const turn of turns) if (turn.step.done !== true) turn.step = turn.dialogue.next()
    }
    const outcomes = turns.flatMap(({ name, step }) => (step.done === true ? [{ name, ...step.value }] : []))
    return joined(outcomes, invocation.options.json, between)
  }
