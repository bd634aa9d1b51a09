import * as Schema from "effect/Schema"
import { MemoryFigures } from "../memory/MemoryLook.ts"
import { counted, dollars, humanBytes, humanDuration } from "../text/Amounts.ts"
import { describeExit, isClean, WorkerExit } from "../tree/WorkerExit.ts"
import { perhaps } from "../Wire.ts"
import { describeOomKill, OomKill } from "./OomKill.ts"
import { LimitFigures } from "./OverLimit.ts"

/** In the worker's own words: one line, shortened, nothing in it that drives a terminal. */
const words = { says: Schema.String }

const verdict = <const K extends string, F extends Schema.Struct.Fields>(kind: K, fields: F) =>
  Schema.Struct({ kind: Schema.Literal(kind), ...fields })

/** For want of memory: who has ended it, and with what figures. */
const OutOfMemory = Schema.Union(
  verdict("out-of-memory", { by: Schema.Literal("kernel"), oomKill: OomKill }),
  /** `memory.worker_limit_bytes`. */
  verdict("out-of-memory", { by: Schema.Literal("limit"), figures: LimitFigures }),
  /** This daemon, at critical memory. */
  verdict("out-of-memory", {
    by: Schema.Literal("ours"),
    memory: perhaps(MemoryFigures),
    reason: Schema.String
  }),
  /** The heap of its JavaScript engine was full. */
  verdict("out-of-memory", { by: Schema.Literal("heap"), ...words })
)

/**
 * Why a worker has ended, as one judgement from all evidence (`verdictOf` in ExitJudgement.ts). What is unknown is
 * `crash`, never a guess.
 */
export const Verdict = Schema.Union(
  /** It says that its work is finished. */
  verdict("done", { turns: perhaps(Schema.Number), costUsd: perhaps(Schema.Number) }),
  /** `says` is what it named as its error; `tail` its last lines, the last one last. */
  verdict("crash", { exit: WorkerExit, says: perhaps(Schema.String), tail: Schema.Array(Schema.String) }),
  /** A fault of compiled code: SIGSEGV, SIGILL, SIGBUS, SIGFPE, SIGABRT, SIGTRAP, SIGSYS. */
  verdict("native-crash", { signal: Schema.String }),
  ...OutOfMemory.members,
  /** `resetAtMs` is when the limit is lifted (milliseconds since 1970), where it was said and can be read. */
  verdict("usage-limit", { ...words, resetAtMs: perhaps(Schema.Number) }),
  /** The API could not be used: overloaded, failing or out of reach. */
  verdict("overloaded", { ...words, status: perhaps(Schema.Number) }),
  verdict("auth", words),
  verdict("bad-arguments", words),
  verdict("max-turns", { turns: perhaps(Schema.Number) }),
  /** `says` where it is not its own budget but the account's. */
  verdict("budget", { costUsd: perhaps(Schema.Number), says: perhaps(Schema.String) }),
  /** It did nothing for `quietMs`, while `tool` ran if that is set. */
  verdict("stalled", { quietMs: Schema.Number, limitMs: Schema.Number, tool: perhaps(Schema.String) }),
  /** `reason` is what it was ended for: a command, a shutdown. */
  verdict("killed-by-us", { reason: Schema.String }),
  /** By a signal that nobody here has sent. */
  verdict("killed-by-other", { signal: Schema.String }),
  verdict("not-started", { reason: Schema.String })
)
export type Verdict = typeof Verdict.Type

/** The words for the verdicts, as they are written down. */
export type VerdictKind = Verdict["kind"]

const spent = (turns: number | undefined, costUsd: number | undefined): string =>
  [
    ...(turns === undefined ? [] : [` after ${counted(turns, "turn")}`]),
    ...(costUsd === undefined ? [] : [` for ${dollars(costUsd)}`])
  ].join("")

const describeCrash = ({ exit, says, tail }: Extract<Verdict, { kind: "crash" }>): string => {
  const said = says ?? tail.at(-1)
  const how = isClean(exit) ? "it failed although its exit code is 0" : `it crashed: ${describeExit(exit)}`
  return said === undefined ? how : `${how}; its last words: ${said}`
}

const describeOutOfMemory = (verdict: Extract<Verdict, { kind: "out-of-memory" }>): string => {
  switch (verdict.by) {
    case "kernel":
      return describeOomKill(verdict.oomKill)
    case "limit": {
      const { limitBytes, proportionalBytes } = verdict.figures
      return `it held ${humanBytes(proportionalBytes)}, more than memory.worker_limit_bytes (${humanBytes(limitBytes)})`
    }
    case "ours":
      return `it was ended because memory was nearly out: ${verdict.reason}`
    case "heap":
      return `its heap was full: ${verdict.says}`
  }
}

/** Why the worker ended, as one sentence without a full stop that begins in lower case. Times of day are not in it. */
export const describeVerdict = (verdict: Verdict): string => {
  switch (verdict.kind) {
    case "done":
      return `it finished its work${spent(verdict.turns, verdict.costUsd)}`
    case "crash":
      return describeCrash(verdict)
    case "native-crash":
      return `it crashed in compiled code, by ${verdict.signal}`
    case "out-of-memory":
      return describeOutOfMemory(verdict)
    case "usage-limit":
      return `its usage limit is reached: ${verdict.says}`
    case "overloaded": {
      const status = verdict.status === undefined ? "" : ` (HTTP status ${verdict.status})`
      return `the API cannot be used at present${status}: ${verdict.says}`
    }
    case "auth":
      return `it is not logged in: ${verdict.says}`
    case "bad-arguments":
      return `it does not take its arguments: ${verdict.says}`
    case "max-turns":
      return `it has used up its turns${verdict.turns === undefined ? "" : ` (${verdict.turns})`} before its work was finished`
    case "budget": {
      const cost = verdict.costUsd === undefined ? "" : ` (${dollars(verdict.costUsd)})`
      return verdict.says === undefined
        ? `it has used up its budget${cost} before its work was finished`
        : `the money for it is used up: ${verdict.says}`
    }
    case "stalled": {
      const tool = verdict.tool === undefined ? "" : ` while ${verdict.tool} ran`
      return `it had stalled: it did nothing for ${humanDuration(verdict.quietMs)}${tool}`
    }
    case "killed-by-us":
      return `it was told to end: ${verdict.reason}`
    case "killed-by-other":
      return `somebody else ended it, by ${verdict.signal}`
    case "not-started":
      return `it could not be started: ${verdict.reason}`
  }
}

const afterOutOfMemory: Readonly<Record<Extract<Verdict, { kind: "out-of-memory" }>["by"], string>> = {
  kernel:
    "Give the machine more memory, or set memory.worker_limit_bytes, so that the worker is restarted before the kernel kills it",
  limit: "Raise memory.worker_limit_bytes if its work needs as much",
  ours: "See with `autopilotd hogs` what else holds memory",
  heap: "Give it a larger heap (NODE_OPTIONS=--max-old-space-size=8192 in `env`), or let it begin a new session: one that is resumed is loaded as a whole"
}

const onceMended = "then `autopilotd start-worker`"

/** What a person can do about it, as one sentence without a full stop; undefined where there is nothing to be done. */
export const adviceFor = (verdict: Verdict): string | undefined => {
  switch (verdict.kind) {
    case "done":
    case "killed-by-us":
      return undefined
    case "crash":
      return "Read what it said last with `autopilotd logs`"
    case "native-crash":
      return "This is a fault of the program itself: if it comes again, try another version of it"
    case "out-of-memory":
      return verdict.by === "kernel" && verdict.oomKill.limitBytes !== undefined
        ? afterOutOfMemory.limit
        : afterOutOfMemory[verdict.by]
    case "usage-limit":
      return "Once the plan allows more, `autopilotd start-worker` tries it at once"
    case "overloaded":
      return "If it lasts, look at the status page of the API's provider; `autopilotd start-worker` tries it at once"
    case "auth":
      return `Log in as the user of the daemon, or put a valid key into the env file, ${onceMended}`
    case "bad-arguments":
      return `Correct worker_command with \`autopilotd config edit\`, ${onceMended}`
    case "max-turns":
      return 'Allow it more turns, or set restart.on.max_turns = "restart" if it is to begin anew each time'
    case "budget":
      return `Allow it to spend more, ${onceMended}`
    case "stalled":
      return "See with `autopilotd logs` what it did last; if it was at work, raise restart.stall_timeout_ms"
    case "killed-by-other":
      return "The system's log (`journalctl`) may tell who has sent the signal"
    case "not-started":
      return `See that its command exists and may be run, or correct worker_command, ${onceMended}`
  }
}
