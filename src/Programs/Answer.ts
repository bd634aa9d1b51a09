import * as Effect from "effect/Effect"
import type { Invocation } from "../Domain/cli/CommandLine.ts"
import type { Verb } from "../Domain/cli/CommandTable.ts"
import { answerText, type JsonAnswer } from "../Domain/json/JsonAnswer.ts"
import { CommandOutput } from "../Layers/output/CommandOutput.ts"
import { twinKeys } from "./TwinKeys.ts"

/** Prints an answer for a program, whether it is one of success or not. */
export const sayJson = Effect.fnUntraced(function* (verb: Verb | undefined, answer: JsonAnswer) {
  const { out } = yield* CommandOutput
  yield* out(answerText(answer, twinKeys, verb))
})

/** Prints that a command has done what it was asked: for a program (`--json`) the answer, else the text. */
export const sayDone = Effect.fnUntraced(function* (
  invocation: Pick<Invocation, "options" | "verb">,
  { data, message }: { readonly message: string; readonly data?: object | undefined },
  text: string
) {
  const { out } = yield* CommandOutput
  if (invocation.options.json === true) yield* sayJson(invocation.verb, { success: true, message, data })
  else yield* out(text)
})
