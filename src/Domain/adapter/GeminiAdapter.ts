import {
  type AgentLine,
  type JsonObject,
  numberAt,
  objectAt,
  parsedObject,
  textAt
} from "../agent/AgentLine.ts"
import type {
  AgentAdapter,
  AgentEnd,
  AgentMeaning,
  CommandLine,
  ErrorMeaning,
  SessionRefusal
} from "./AgentAdapter.ts"
import {
  type Arguments,
  argumentsOf,
  has,
  optionsOf,
  programOf,
  valueOf,
  withModel
} from "./AgentArguments.ts"
import { foldOf } from "./AgentFold.ts"
import {
  type AgentFailure,
  callLine,
  deltaLine,
  endLine,
  noticeLine,
  returnLine,
  sessionLine
} from "./CommonLine.ts"
import { continued } from "./PromptOption.ts"

/** The options of Gemini CLI 0.61.0. */
const options = optionsOf({
  flag: `-d --debug --skip-trust -s --sandbox -y --yolo --acp --experimental-acp -l --list-extensions --list-sessions
    --screen-reader --raw-output --accept-raw-output-risk -v --version -h --help`,
  value: `-m --model -p --prompt -i --prompt-interactive --approval-mode --session-file --session-id --delete-session -o
    --output-format`,
  maybe: "-r --resume -w --worktree",
  list: `--policy --admin-policy --allowed-mcp-server-names --allowed-tools -e --extensions --include-directories`
})

/** Options with which it works for a person, or shows something else. */
const elsewhere = new Set(
  `-i --prompt-interactive --acp --experimental-acp -l --list-extensions --list-sessions --delete-session -v --version -h
  --help`.split(/\s+/)
)

const prompts = new Set(["-p", "--prompt"])
const session = new Set(["-r", "--resume", "--session-id", "--session-file"])
/** Options with which Gemini CLI would continue a session in another folder. */
const unresumable = new Set(["-w", "--worktree"])

const commands = new Set("mcp extensions extension skills skill hooks hook gemma".split(" "))

const given = (argv: CommandLine): Arguments => argumentsOf(argv, options)

const runs = (argv: CommandLine): boolean => {
  const all = given(argv)
  const [word] = all.operands
  return (
    programOf(argv) === "gemini" &&
    valueOf(all, "-o", "--output-format") === "stream-json" &&
    !has(all, elsewhere) &&
    (word === undefined ? has(all, prompts) : !commands.has(argv[word] ?? ""))
  )
}

const resume = (argv: CommandLine, sessionId: string, prompt: string | undefined): CommandLine | undefined =>
  prompt !== undefined && runs(argv) && !has(given(argv), unresumable)
    ? continued(argv, given, { prompts, session, added: ["-r", sessionId], prompt, operandsBefore: 0 })
    : undefined

/** `[API Error: You have exhausted your daily quota on this model.]`, or with the answer of the API as JSON. */
const bracketed = /^\[API Error: ([\s\S]*)\]/

const failureOf = (error: JsonObject): AgentFailure => {
  const message = textAt(error, "message") ?? "it ended with an error"
  const said = bracketed.exec(message)?.[1] ?? message
  const api = objectAt(parsedObject(said) ?? {}, "error")
  const name = textAt(api, "status") ?? textAt(error, "type")
  const status = numberAt(api, "code")
  return {
    text: textAt(api, "message") ?? said,
    ...(name === undefined ? {} : { name }),
    ...(status === undefined ? {} : { status })
  }
}

const toolLine = (object: JsonObject): AgentLine | undefined => {
  const id = textAt(object, "tool_id")
  if (id === undefined) return undefined
  if (object["type"] === "tool_use")
    return callLine({ id, name: textAt(object, "tool_name") ?? "a tool", input: object["parameters"] })
  const output = textAt(object, "output") ?? textAt(objectAt(object, "error"), "message")
  return returnLine(id, output, object["status"] === "error")
}

/** The tokens of this run. Those of the cache are among `input_tokens`, and not among `input`. */
const usedTokens = (stats: JsonObject): JsonObject => ({
  input_tokens: stats["input"],
  output_tokens: stats["output_tokens"],
  cache_read_input_tokens: stats["cached"]
})

const parsedLines = (object: JsonObject): ReadonlyArray<AgentLine> | undefined => {
  switch (object["type"]) {
    case "init": {
      const id = textAt(object, "session_id")
      return id === undefined ? undefined : [sessionLine(id, textAt(object, "model"))]
    }
    case "message": {
      const text = textAt(object, "content")
      return object["role"] === "assistant" && text !== undefined ? [deltaLine(text)] : []
    }
    case "error": {
      const text = textAt(object, "message")
      return text === undefined ? [] : [noticeLine(text)]
    }
    case "result": {
      const failure = object["status"] === "success" ? undefined : failureOf(objectAt(object, "error"))
      const stats = objectAt(object, "stats")
      return [endLine(failure, { usage: usedTokens(stats), durationMs: numberAt(stats, "duration_ms") })]
    }
    default: {
      const line = toolLine(object)
      return line === undefined ? [] : [line]
    }
  }
}

const mark =
  /^\{\s*"type"\s*:\s*"(?:init|message|tool_use|tool_result|error|result)"\s*,\s*"timestamp"\s*:\s*"[\dT:.Z+-]{10,40}"/

/** A call or result without its texts, which may be long. */
const toolHead =
  /^\{\s*"type"\s*:\s*"(tool_use|tool_result)"\s*,\s*"timestamp"\s*:\s*"[^"\\]{10,40}"\s*,(?:\s*"tool_name"\s*:\s*"([^"\\]{1,200})"\s*,)?\s*"tool_id"\s*:\s*"([^"\\]{1,200})"/

const isLine = (text: string): boolean => mark.test(text)

const linesOf = (
  text: string,
  maxLength = Number.POSITIVE_INFINITY
): ReadonlyArray<AgentLine> | undefined => {
  if (!isLine(text)) return undefined
  const object = text.length <= maxLength ? parsedObject(text) : undefined
  if (object !== undefined) return parsedLines(object)
  const [, type, tool_name, tool_id] = toolHead.exec(text) ?? []
  return type === undefined ? undefined : parsedLines({ type, tool_name, tool_id })
}

/** Its exit codes: `FatalAuthenticationError` and the like. */
const meaningOfCode: ReadonlyMap<number | null, ErrorMeaning> = new Map([
  [41, "auth"],
  [42, "bad-arguments"],
  [44, "bad-arguments"],
  [52, "bad-arguments"],
  [53, "max-turns"],
  // An error of the API exits with its HTTP status, of which 8 bits remain.
  [401 % 256, "auth"],
  [403 % 256, "auth"],
  [404 % 256, "bad-arguments"],
  [408 % 256, "overloaded"],
  [429 % 256, "overloaded"],
  [500 % 256, "overloaded"],
  [502 % 256, "overloaded"],
  [503 % 256, "overloaded"],
  [504 % 256, "overloaded"]
])

const meaning = ({ exit, lastLines, seen }: AgentEnd): AgentMeaning | undefined => {
  // After SIGTERM and SIGINT it exits with 0, without a result.
  if (exit.code === 0)
    return seen.result === undefined && seen.sessionId !== undefined
      ? { kind: "killed-by-other", signal: "SIGTERM or SIGINT" }
      : undefined
  const kind = meaningOfCode.get(exit.code)
  const says = seen.result?.text ?? lastLines.find((line) => !/^\s+at /.test(line))
  return kind === undefined ? undefined : { kind, says: says ?? `Gemini CLI exited with code ${exit.code}` }
}

const refusal = ({ lastLines, seen }: AgentEnd): SessionRefusal | undefined => {
  if (seen.turns > 0) return undefined
  if (lastLines.some((line) => line.startsWith("Error resuming session: "))) return "unknown"
  return lastLines.some((line) => /^Error starting session: .* already exists\./.test(line))
    ? "in-use"
    : undefined
}

export const gemini: AgentAdapter = {
  name: "gemini",
  title: "Gemini CLI",
  login: {
    keys: ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
    providers: ["GOOGLE_GEMINI_BASE_URL", "GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_CLOUD_PROJECT"],
    files: [
      { variable: "GEMINI_CLI_HOME", path: ".gemini/oauth_creds.json" },
      { variable: "HOME", path: ".gemini/oauth_creds.json" }
    ],
    prefersKeys: false,
    isOneAccount: true
  },
  runs,
  // Older versions reject --session-id, and the first line tells the id.
  first: () => undefined,
  resume,
  withModel: (argv, model) => withModel(argv, given, new Set(["-m", "--model"]), model),
  begins: (text) => isLine(text) && /^\{\s*"type"\s*:\s*"init"/.test(text),
  isLine,
  linesOf,
  next: foldOf(linesOf),
  meaning,
  refusal
}
