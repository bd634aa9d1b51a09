import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import { MemoryFigures } from "../memory/MemorySample.ts"
import { counted, dollars, humanBytes, humanDuration } from "../text/Amounts.ts"
import { openEnded } from "../text/TextLayout.ts"
import { describeExit, isClean, WorkerExit } from "../tree/WorkerExit.ts"
import { moment, perhaps } from "../Wire.ts"
import { describeOomKill, OomKill } from "./OomKill.ts"
import { LimitFigures } from "./OverLimit.ts"
import { type Places, placeOfWorker, startsWithDaemon } from "./Places.ts"
import { describeUsed, UsedLimit, waysOn } from "./UsedLimit.ts"

/** A message of the worker: one line, shortened, without terminal escapes. */
const words = { says: Schema.String }

const verdict = <const K extends string, F extends Schema.Struct.Fields>(kind: K, fields: F) =>
  Schema.Struct({ kind: Schema.Literal(kind), ...fields })

/** The killer that freed memory, with the figures. */
const OutOfMemory = Schema.Union(
  verdict("out-of-memory", { by: Schema.Literal("kernel"), oomKill: OomKill }),
  /** `memory.worker_limit_bytes`. */
  verdict("out-of-memory", { by: Schema.Literal("limit"), figures: LimitFigures }),
  /** This daemon restarted it at critical memory. */
  verdict("out-of-memory", {
    by: Schema.Literal("ours"),
    memory: perhaps(MemoryFigures),
    reason: Schema.String
  }),
  /** The heap of its JavaScript engine was full. */
  verdict("out-of-memory", { by: Schema.Literal("heap"), ...words })
)

/** The daemon's judgement of an exit (`verdictOf` in ExitJudgement.ts). An unknown cause is a `crash`, never a guess. */
export const Verdict = Schema.Union(
  /** The worker reported success. */
  verdict("done", { turns: perhaps(Schema.Number), costUsd: perhaps(Schema.Number) }),
  /** `says` is the error that the worker named; `tail` its last lines, the newest last. */
  verdict("crash", { exit: WorkerExit, says: perhaps(Schema.String), tail: Schema.Array(Schema.String) }),
  /** A fault of compiled code: SIGSEGV, SIGILL, SIGBUS, SIGFPE, SIGABRT, SIGTRAP, SIGSYS. */
  verdict("native-crash", { signal: Schema.String }),
  ...OutOfMemory.members,
  /** `resetAtMs` is the end of the limit in milliseconds since 1970, where the message names it. */
  verdict("usage-limit", { ...words, resetAtMs: perhaps(moment(Schema.Number)) }),
  /** The API was overloaded, failing or unreachable. */
  verdict("overloaded", { ...words, status: perhaps(Schema.Number) }),
  verdict("auth", words),
  verdict("bad-arguments", words),
  /** The session does not fit into the model's context any more, and would not at any resume. */
  verdict("context-full", words),
  verdict("max-turns", { turns: perhaps(Schema.Number) }),
  /** `says` is set for the budget of the account, `usage` for a limit of the settings; else it is the run's own budget. */
  verdict("budget", {
    costUsd: perhaps(Schema.Number),
    says: perhaps(Schema.String),
    usage: perhaps(UsedLimit)
  }),
  /** The worker was inactive for `quietMs`; `tool` is the tool that it waited for. */
  verdict("stalled", { quietMs: Schema.Number, limitMs: Schema.Number, tool: perhaps(Schema.String) }),
  /** `reason` is a command of a user or a decision of the daemon. */
  verdict("killed-by-us", { reason: Schema.String }),
  /** A signal that this daemon did not send. */
  verdict("killed-by-other", { signal: Schema.String }),
  verdict("not-started", { reason: Schema.String })
)
export type Verdict = typeof Verdict.Type

/** The words for the verdicts in events and settings. */
export type VerdictKind = Verdict["kind"]

export const verdictKinds: ReadonlyArray<VerdictKind> = Struct.keys({
  done: true,
  crash: true,
  "native-crash": true,
  "out-of-memory": true,
  "usage-limit": true,
  overloaded: true,
  auth: true,
  "bad-arguments": true,
  "context-full": true,
  "max-turns": true,
  budget: true,
  stalled: true,
  "killed-by-us": true,
  "killed-by-other": true,
  "not-started": true
} satisfies Readonly<Record<VerdictKind, true>>)

export const VerdictKind: Schema.Schema<VerdictKind> = Schema.Literal(...verdictKinds)

const spent = (turns: number | undefined, costUsd: number | undefined): string =>
  [
    ...(turns === undefined ? [] : [` after ${counted(turns, "turn")}`]),
    ...(costUsd === undefined ? [] : [` for ${dollars(costUsd)}`])
  ].join("")

const describeCrash = ({ exit, says, tail }: Extract<Verdict, { kind: "crash" }>): string => {
  const said = says ?? tail.at(-1)
  const how = isClean(exit)
    ? "reported a failure although its exit code was 0"
    : `crashed (${describeExit(exit)})`
  return said === undefined ? `${how} without an error message` : `${how}; last output: ${openEnded(said)}`
}

const describeOutOfMemory = (verdict: Extract<Verdict, { kind: "out-of-memory" }>): string => {
  switch (verdict.by) {
    case "kernel":
      return describeOomKill(verdict.oomKill)
    case "limit": {
      const { limitBytes, proportionalBytes } = verdict.figures
      return `held ${humanBytes(proportionalBytes)}, more than memory.worker_limit_bytes (${humanBytes(limitBytes)})`
    }
    case "ours":
      return `restarted to free memory: ${verdict.reason}`
    case "heap":
      return `its JavaScript heap was full: ${openEnded(verdict.says)}`
  }
}

/** A predicate whose subject is the worker, without a full stop: `crashed (exit code 1); last output: ...`. */
export const describeVerdict = (verdict: Verdict): string => {
  switch (verdict.kind) {
    case "done":
      return `finished its work${spent(verdict.turns, verdict.costUsd)}`
    case "crash":
      return describeCrash(verdict)
    case "native-crash":
      return `crashed in native code (${verdict.signal})`
    case "out-of-memory":
      return describeOutOfMemory(verdict)
    case "usage-limit":
      return `reached its usage limit: ${openEnded(verdict.says)}`
    case "overloaded": {
      const status = verdict.status === undefined ? "" : ` (HTTP status ${verdict.status})`
      return `the API is unavailable${status}: ${openEnded(verdict.says)}`
    }
    case "auth":
      return `not logged in: ${openEnded(verdict.says)}`
    case "bad-arguments":
      return `rejected its arguments: ${openEnded(verdict.says)}`
    case "context-full":
      return `exceeded the context of its model: ${openEnded(verdict.says)}`
    case "max-turns":
      return `used up its turns${verdict.turns === undefined ? "" : ` (${verdict.turns})`} before it finished`
    case "budget": {
      if (verdict.usage !== undefined) return `used up its budget: ${describeUsed(verdict.usage)}`
      const cost = verdict.costUsd === undefined ? "" : ` (${dollars(verdict.costUsd)})`
      return verdict.says === undefined
        ? `used up its budget${cost} before it finished`
        : `the account has no budget left: ${openEnded(verdict.says)}`
    }
    case "stalled": {
      const tool = verdict.tool === undefined ? "" : ` while ${verdict.tool} ran`
      return `stalled: inactive for ${humanDuration(verdict.quietMs)}${tool}`
    }
    case "killed-by-us":
      // A command names itself: "stopped by command".
      return /^(stopped|restarted) /.test(verdict.reason) ? verdict.reason : `stopped: ${verdict.reason}`
    case "killed-by-other":
      return `another process sent ${verdict.signal}`
    case "not-started":
      return `could not be started: ${verdict.reason}`
  }
}

const afterOutOfMemory: Readonly<Record<Extract<Verdict, { kind: "out-of-memory" }>["by"], string>> = {
  kernel:
    "Give the machine more memory, or set memory.worker_limit_bytes: the daemon then restarts the worker before the kernel kills it",
  limit: "Raise memory.worker_limit_bytes if its work needs that much",
  ours: "List the other memory users: autopilotd hogs",
  heap: "Give it a larger heap (NODE_OPTIONS=--max-old-space-size=8192 in `env`), or start a new session: a resumed one is loaded as a whole"
}

const thenStart = "then run: autopilotd start-worker"

/** The place of the worker's command, and the start of the worker, where the change does not start it. */
const placeThenStart = (places: Places | undefined): string => {
  if (places === undefined)
    return `worker_command (autopilotd config edit, then: autopilotd reload), ${thenStart}`
  const place = placeOfWorker(places)
  return startsWithDaemon(places) ? place : `${place}, ${thenStart}`
}

/** The advice to the user, one sentence without a full stop; undefined where there is nothing to do. */
export const adviceFor = (verdict: Verdict, places?: Places): string | undefined => {
  const worker = placeThenStart(places)
  switch (verdict.kind) {
    case "done":
    case "killed-by-us":
      return undefined
    case "crash":
      return "Read its last output: autopilotd logs"
    case "native-crash":
      return "This is a bug of the program: if it happens again, try another version of it"
    case "out-of-memory":
      return verdict.by === "kernel" && verdict.oomKill.limitBytes !== undefined
        ? afterOutOfMemory.limit
        : afterOutOfMemory[verdict.by]
    case "usage-limit":
      return "To try again as soon as the plan allows more, run: autopilotd start-worker"
    case "overloaded":
      return "Check the status page of the API's provider; to try again now, run: autopilotd start-worker"
    case "auth":
      return `Log in as the user of the daemon, or put a valid key into the env file, ${thenStart}`
    case "bad-arguments":
      return `Correct ${worker}`
    case "context-full":
      return `Start a new session (drop --resume or --continue), or shorten the prompt, ${thenStart}`
    case "max-turns":
      return waysOn("max_turns", places)
    case "budget":
      return verdict.usage === undefined
        ? `Allow it to spend more, ${thenStart}`
        : waysOn(verdict.usage.setting, places)
    case "stalled":
      return "Read its last output with `autopilotd logs`; if it was working, raise restart.stall_timeout_ms"
    case "killed-by-other":
      return "The system's log (`journalctl`) may name the sender of the signal"
    case "not-started":
      return `Check its program, its folder and its PATH (autopilotd doctor), or correct ${worker}`
  }
}
