import type { AgentLine } from "../agent/AgentLine.ts"
import type { AgentName } from "../agent/AgentName.ts"
import type { AgentSeen } from "../agent/AgentSeen.ts"

/** A program and its arguments. */
export type CommandLine = readonly [string, ...ReadonlyArray<string>]

/** Hides secrets in a text, before it is shortened: a cut may leave a part of one. */
export type Mask = (text: string) => string

/** The end of an agent's process. */
export interface AgentEnd {
  readonly exit: { readonly code: number | null; readonly signal: string | null }
  readonly seen: AgentSeen
  /** Its last lines of plain text, the newest first. */
  readonly lastLines: ReadonlyArray<string>
}

/** The meaning of an error message of an agent. */
export type ErrorMeaning =
  | "usage-limit"
  | "overloaded"
  | "auth"
  | "bad-arguments"
  | "budget"
  | "max-turns"
  | "context-full"

/** The meaning of an exit: an error in the agent's words, or a signal that the exit code hides. */
export type AgentMeaning =
  | { readonly kind: ErrorMeaning; readonly says: string; readonly status?: number | undefined }
  | { readonly kind: "killed-by-other"; readonly signal: string }

/** Why an agent did not take up its session: it knows none with this id, or it already has one. */
export type SessionRefusal = "unknown" | "in-use"

/** What a run may use. */
export interface RunLimits {
  readonly usd: number | undefined
  readonly turns: number | undefined
}

/** Where an agent finds its login. */
interface LoginPlaces {
  /** Variables that hold a key or a token. */
  readonly keys: ReadonlyArray<string>
  /** Variables that choose whom it logs in to. */
  readonly providers: ReadonlyArray<string>
  /** Its file, below the folder of the first of these variables that is set. */
  readonly files: ReadonlyArray<{ readonly variable: string; readonly path: string }>
  /** A key counts, and not the file. Otherwise a setting of the agent chooses, so both must be the same. */
  readonly prefersKeys: boolean
  /** Its login is one account, whose usage limit all its workers meet. */
  readonly isOneAccount: boolean
}

/** All that is particular to one agent: its lines, the meaning of its exits, its arguments. */
export interface AgentAdapter {
  readonly name: AgentName
  /** Its name for people. */
  readonly title: string
  readonly login: LoginPlaces
  /** Whether the command line runs this agent without a person, and prints the stream that `next` reads. */
  readonly runs: (argv: CommandLine) => boolean
  /**
   * The command line of a first start under a session id that the daemon chooses. Undefined where the agent chooses it,
   * or the user's own arguments do.
   */
  readonly first: (argv: CommandLine, sessionId: string) => CommandLine | undefined
  /**
   * The command line that continues a session with another prompt, which comes on standard input if it is undefined.
   * Undefined where the place of the user's prompt is
   * uncertain, or the arguments forbid it.
   */
  readonly resume: (
    argv: CommandLine,
    sessionId: string,
    prompt: string | undefined
  ) => CommandLine | undefined
  /** The id of a new session that the user's own arguments choose. */
  readonly ownSession?: (argv: CommandLine) => string | undefined
  /** The same command with its prompt on standard input; undefined where its place is uncertain. */
  readonly fed?: (argv: CommandLine) => { readonly argv: CommandLine; readonly prompt: string } | undefined
  /** The command line with this model, in any mode of the agent. */
  readonly withModel: (argv: CommandLine, model: string) => CommandLine
  /** The command line with these limits; undefined where the agent knows none. */
  readonly limited?: (argv: CommandLine, limits: RunLimits) => CommandLine
  /** The limits of a command line. */
  readonly limitsOf?: (argv: CommandLine) => RunLimits
  /** Whether a line may be the first of its stream. The search is linear in its length and parses nothing. */
  readonly begins: (text: string) => boolean
  /** Whether a line may be one of its stream, as `begins`. */
  readonly isLine: (text: string) => boolean
  /**
   * Brings a line of its stream into the form of Claude Code's; undefined for other lines. Of a line that is longer than
   * `maxLength`, or cut, only what its beginning tells. Absent where all lines have that form already.
   */
  readonly linesOf?: (text: string, maxLength?: number) => ReadonlyArray<AgentLine> | undefined
  /** Adds a line of its stream, read at `atMs`. Other lines change nothing; no line makes it throw. */
  readonly next: (seen: AgentSeen, text: string, atMs: number, mask: Mask) => AgentSeen
  /** The meaning of an exit whose code or last words mislead; undefined where the usual rules apply. */
  readonly meaning: (end: AgentEnd) => AgentMeaning | undefined
  /** Whether an exit means that a session was refused. */
  readonly refusal: (end: AgentEnd) => SessionRefusal | undefined
}
