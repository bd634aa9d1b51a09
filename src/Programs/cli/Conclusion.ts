import type { Outcome } from "../../Domain/cli/Dialogue.ts"
import { exitCodeOf, exitCodes } from "../../Domain/cli/ExitCodes.ts"
import { answerText } from "../../Domain/json/JsonAnswer.ts"
import { harmlessText } from "../../Domain/text/Printable.ts"
import { printed } from "../../Layers/output/PlainOutput.ts"
import { twinKeys } from "../TwinKeys.ts"

/** Prints an outcome, and returns the exit code; undefined for a refusal that the whole program has to print. */
export const concluded = async (
  { answer, out, refused }: Outcome,
  verb: string
): Promise<number | undefined> => {
  if (refused !== undefined && !refused.isTold) return undefined
  await printed(harmlessText(answer === undefined ? out : answerText(answer, twinKeys, verb)))
  return refused === undefined ? exitCodes.done : exitCodeOf(refused.code)
}
