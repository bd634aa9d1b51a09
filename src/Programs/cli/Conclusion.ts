import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import type { Outcome } from "../../Domain/cli/Dialogue.ts"
import { exitCodeOf, exitCodes } from "../../Domain/cli/ExitCodes.ts"
import { answerText } from "../../Domain/json/JsonAnswer.ts"
import { harmlessText } from "../../Domain/text/Printable.ts"
import { printed, reported } from "../../Layers/output/PlainOutput.ts"
import { answerOfFailure, exitCodeOfFailure, type Failure, sentenceOfFailure } from "../Failure.ts"
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

/** Prints a failure, and returns the exit code. */
export const failed = async (
  failure: Failure,
  { options, verb }: Pick<Invocation, "options" | "verb">
): Promise<number> => {
  const answer = options.json === true ? answerOfFailure(failure) : undefined
  await (answer === undefined
    ? reported(sentenceOfFailure(failure))
    : printed(harmlessText(answerText(answer, twinKeys, verb))))
  return exitCodeOfFailure(failure)
}
