import type { CommandLine } from "./AgentAdapter.ts"
import { type Arguments, withArgument, withArguments, without } from "./AgentArguments.ts"

interface Continuation {
  /** The options that hold the prompt. */
  readonly prompts: ReadonlySet<string>
  /** The options that choose the session: they go. */
  readonly session: ReadonlySet<string>
  /** The options that continue it. */
  readonly added: ReadonlyArray<string>
  readonly prompt: string
  /** The operands before those of the prompt: the command. */
  readonly operandsBefore: number
}

/** A library takes these words for the value of the flag before them. */
const truths = new Set(["true", "false"])

/** The prompt as the program reads it: the value of an option, or all operands. Undefined when it is uncertain. */
const promptIn = (
  argv: CommandLine,
  { isCertain, operands, options }: Arguments,
  { operandsBefore, prompts }: Continuation
): { readonly text: string; readonly place: number; readonly further: ReadonlyArray<number> } | undefined => {
  const [place, ...further] = operands.slice(operandsBefore)
  const given = options.filter(({ name }) => prompts.has(name))
  if (!isCertain || operands.some((at) => truths.has(argv[at] ?? ""))) return undefined
  const [option] = given
  if (option === undefined)
    return place === undefined
      ? undefined
      : { text: [place, ...further].map((at) => argv[at]).join(" "), place, further }
  const { from, to, value } = option
  return given.length === 1 && place === undefined && value !== undefined
    ? { text: value, place: to - 1 > from ? to - 1 : from, further: [] }
    : undefined
}

/** `--prompt=` of `--prompt=Do it`. */
const beforeValue = /^--[^=]+=/

/** Continues a session with another prompt, which stands where the user's prompt stood. */
export const continued = (
  argv: CommandLine,
  given: (argv: CommandLine) => Arguments,
  continuation: Continuation
): CommandLine | undefined => {
  const { added, operandsBefore, prompt, session } = continuation
  const all = given(argv)
  const before = promptIn(argv, all, continuation)
  if (before === undefined) return undefined
  const isOperand = all.operands.includes(before.place)
  const attached = isOperand
    ? undefined
    : all.options.find(({ from, to }) => from === before.place && to === from + 1)
  const [equals] = attached === undefined ? [""] : (beforeValue.exec(argv[before.place] ?? "") ?? [undefined])
  if (equals === undefined) return undefined
  const prompted = without(
    withArgument(argv, before.place, `${equals}${prompt}`),
    all,
    session,
    before.further
  )
  const at = operandsBefore === 0 ? 0 : given(prompted).operands[operandsBefore - 1]
  const resumed = withArguments(prompted, added, at)
  // A prompt that looks like an option is taken for one.
  return promptIn(resumed, given(resumed), continuation)?.text === prompt ? resumed : undefined
}
