import type { ControlQuestion, ControlReply, ReplyTo } from "../control/ControlProtocol.ts"
import { type ErrorCode, knownCode } from "../control/ErrorCode.ts"
import type { HistoryFound, HistoryQuery } from "../history/HistoryQuery.ts"
import type { JsonAnswer } from "../json/JsonAnswer.ts"
import type { ProjectName } from "../Project.ts"
import type { ClockTime } from "../status/AgentWords.ts"
import { oneOfSeveral, withProject } from "../status/ProjectOption.ts"
import type { Zone } from "../text/LocalTime.ts"
import type { Invocation } from "./CommandLine.ts"

/** How long the daemon may take for an answer, in milliseconds. */
interface Patience {
  readonly firstByteMs: number
  readonly wholeMs: number
}

/** What a command does before it goes on. */
export type Step =
  | {
      readonly _tag: "Ask"
      readonly question: ControlQuestion
      readonly patience: Patience | undefined
      /** Without an answer the command goes on, and gets undefined. */
      readonly isOptional: boolean
    }
  | { readonly _tag: "Pause"; readonly durationMs: number }
  /** Asks the person at the terminal. */
  | { readonly _tag: "Confirm"; readonly question: string }

/** What a command that reads the history does beside it. */
export type ReadStep =
  | { readonly _tag: "ReadHistory"; readonly query: HistoryQuery }
  /** Ends the command with a refusal where neither the daemon, nor the settings, nor the history knows the project. */
  | { readonly _tag: "RequireProject"; readonly project: ProjectName }

/** The output of a command and the refusal after it, which makes it fail. */
export interface Outcome {
  /** What a user reads. */
  readonly out: string
  /** What a program reads instead (`--json`). */
  readonly answer?: JsonAnswer
  readonly refused?: {
    readonly reason: string
    /** The output or the answer contains the reason already. */
    readonly isTold: boolean
    readonly code: ErrorCode
  }
}

/** A command that only talks to the daemon: a generator whose driver carries the steps out. */
export type Dialogue = Generator<Step, Outcome, unknown>

/** What a dialogue may know of its surroundings. */
interface DialogueContext {
  /** The terminal shows colours. */
  readonly colour: boolean
  /** The width of the terminal; undefined without one. */
  readonly columns?: number | undefined
  /** A person sits at the terminal, and can be asked. */
  readonly canAsk: boolean
  /** Milliseconds since 1970. */
  readonly nowMs: () => number
  /** Formats a time of day in the zone of the user. */
  readonly clockTime: ClockTime
}

export type DialogueOf = (invocation: Invocation, surroundings: DialogueContext) => Dialogue

/** A command that also reads the history. */
export type Reading = Generator<Step | ReadStep, Outcome, unknown>

export type ReadingOf = (
  invocation: Invocation,
  surroundings: DialogueContext & {
    /** The zone of the times that the user reads and writes. */
    readonly zone: Zone
  }
) => Reading

/** Asks the daemon. */
export function* ask<const Q extends ControlQuestion>(
  question: Q,
  patience?: Patience
): Generator<Step, ReplyTo<Q["type"]>, unknown> {
  const answer = yield { _tag: "Ask", question, patience, isOptional: false }
  // The driver answers with the decoded reply to this very question.
  return answer as ReplyTo<Q["type"]>
}

/** Asks the daemon; undefined without an answer. */
export function* askPerhaps<const Q extends ControlQuestion>(
  question: Q,
  patience?: Patience
): Generator<Step, ReplyTo<Q["type"]> | undefined, unknown> {
  const answer = yield { _tag: "Ask", question, patience, isOptional: true }
  return answer as ReplyTo<Q["type"]> | undefined
}

export function* pause(durationMs: number): Generator<Step, void, unknown> {
  yield { _tag: "Pause", durationMs }
}

/** Asks the person at the terminal. */
export function* confirm(question: string): Generator<Step, boolean, unknown> {
  return (yield { _tag: "Confirm", question }) === true
}

/** The records of a query. */
export function* readHistory(query: HistoryQuery): Generator<ReadStep, HistoryFound, unknown> {
  // The driver answers with the records of this very query.
  return (yield { _tag: "ReadHistory", query }) as HistoryFound
}

export function* requireProject(project: ProjectName): Generator<ReadStep, void, unknown> {
  yield { _tag: "RequireProject", project }
}

export const refused = (reason: string, code: ErrorCode): Outcome => ({
  out: "",
  refused: { reason, isTold: false, code }
})

interface Reply<A> {
  readonly success: boolean
  readonly message: string
  readonly code?: string
  readonly data?: A | null
}

type Granted<A> =
  | { readonly data: A; readonly refusal?: undefined }
  | { readonly data: undefined; readonly refusal: Outcome }

/** The data of a daemon that did what it was asked, or its refusal. */
export const granted = <A>({ code, data, message, success }: Reply<A>): Granted<A> =>
  success && data !== undefined && data !== null
    ? { data }
    : { data: undefined, refusal: refused(message, knownCode(code)) }

/** The same in words or as JSON. */
export const shown = <A extends object>(
  reply: Reply<A>,
  json: boolean | undefined,
  text: (data: A) => string
): Outcome => {
  const { message, success } = reply
  const { data, refusal } = granted(reply)
  if (refusal !== undefined) return refusal
  return json === true ? { out: "", answer: { success, message, data } } : { out: text(data) }
}

/** A reply in words, or as JSON. One that is no success makes the command fail. */
export const concluded = (reply: Reply<object>, json: boolean | undefined): Outcome => {
  const { data, message, success } = reply
  const code = success ? undefined : knownCode(reply.code)
  const told = { ...(code === undefined ? {} : { code }), ...(data && { data }) }
  return {
    out: json !== true && success ? `${message}\n` : "",
    ...(json === true && { answer: { success, message, ...told } }),
    ...(code !== undefined && { refused: { reason: message, isTold: json === true, code } })
  }
}

/** The answer with its project in front, where the daemon has several: its own sentences name none. */
export const aboutProject = (answer: ControlReply): ControlReply => {
  const project = answer.data && oneOfSeveral(answer.data)
  return project === undefined
    ? answer
    : { ...answer, message: `${project}: ${withProject(answer.message, ` --project ${project}`)}` }
}

/** The project of a question, where the command line names one. */
export const forProject = ({ options: { project } }: Invocation) => (project === undefined ? {} : { project })
