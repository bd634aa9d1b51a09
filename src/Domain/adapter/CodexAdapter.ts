import {
  type AgentLine,
  type JsonObject,
  numberAt,
  objectAt,
  parsedObject,
  textAt
} from "../agent/AgentLine.ts"
import type { AgentAdapter, AgentEnd, AgentMeaning, CommandLine, SessionRefusal } from "./AgentAdapter.ts"
import {
  type Arguments,
  argumentsOf,
  has,
  optionsOf,
  programOf,
  withModel,
  without
} from "./AgentArguments.ts"
import { foldOf } from "./AgentFold.ts"
import {
  type AgentFailure,
  callLine,
  endLine,
  failureLine,
  noticeLine,
  retryLine,
  returnLine,
  sessionLine,
  textLine
} from "./CommonLine.ts"

/** The options of Codex 0.171.0, of `codex` itself and of `exec`. */
const options = optionsOf({
  flag: `-h --help -V --version --json --experimental-json --strict-config --oss --approve-for-me --full-auto --worktree
    --dangerously-bypass-approvals-and-sandbox --dangerously-bypass-hook-trust --skip-git-repo-check --trust --ephemeral
    --ignore-user-config --ignore-rules --last --all --search --no-alt-screen --no-daemon`,
  value: `-c --config --enable --disable --remote --remote-auth-token-env -m --model --local-provider -p --profile
    -s --sandbox -C --cd --add-dir --thread-source --cyber-access-program --output-schema --color -o
    --output-last-message -a --ask-for-approval`,
  maybe: "",
  list: "-i --image"
})

const json = new Set(["--json", "--experimental-json"])
const help = new Set(["-h", "--help", "-V", "--version"])
/** Options with which a session cannot be continued, or would continue in another folder. */
const unresumable = new Set(["--ephemeral", "--worktree"])
/** Options that choose the session. */
const session = new Set(["--last", "--all"])

const given = (argv: CommandLine): Arguments => argumentsOf(argv, options)

const wordsOf = (argv: CommandLine): ReadonlyArray<string> =>
  given(argv).operands.map((place) => argv[place] ?? "")

const runs = (argv: CommandLine): boolean => {
  const all = given(argv)
  const [command] = wordsOf(argv)
  return (
    programOf(argv) === "codex" &&
    (command === "exec" || command === "e") &&
    has(all, json) &&
    !has(all, help)
  )
}

/** The words after `exec`: a prompt, or a session to continue or to fork. */
const isResumable = ([, word, ...more]: ReadonlyArray<string>): boolean =>
  word === "resume" || word === "fork"
    ? more.length <= 2
    : word !== undefined && more.length === 0 && word !== "review" && word !== "help"

/** All options stand before `resume`, which itself takes fewer of them than `exec`. */
const resume = (
  argv: CommandLine,
  sessionId: string,
  prompt: string | undefined
): CommandLine | undefined => {
  const all = given(argv)
  if (prompt === undefined || !runs(argv) || !all.isCertain || has(all, unresumable) || argv.includes("--"))
    return undefined
  if (!isResumable(wordsOf(argv))) return undefined
  const others = without(argv, all, session, all.operands.slice(1))
  const resumed: CommandLine = [...others, "resume", sessionId, prompt]
  // A prompt that looks like an option is taken for one, and a list of images takes all that follows.
  const [, ...words] = wordsOf(resumed)
  return words.join("\0") === ["resume", sessionId, prompt].join("\0") ? resumed : undefined
}

const statusWords = /\b(?:unexpected status|last status:) ([1-5]\d\d)\b/

const failureOf = (text: string): AgentFailure => {
  const status = statusWords.exec(text)?.[1]
  return { text, ...(status === undefined ? {} : { status: Number(status) }) }
}

const reconnecting = /^Reconnecting\.\.\. (\d{1,6})\/(\d{1,6})\b/

const errorLine = (text: string): AgentLine => {
  const [, attempt, most] = reconnecting.exec(text) ?? []
  if (attempt === undefined) return failureLine(failureOf(text))
  const { status } = failureOf(text)
  return retryLine({ attempt: Number(attempt), max_retries: Number(most), error_status: status })
}

const toolName = (item: JsonObject, type: string): string => {
  const tool = textAt(item, "tool")
  const server = textAt(item, "server")
  return server === undefined || tool === undefined ? (tool ?? type) : `${server}.${tool}`
}

const toolInput = (item: JsonObject): unknown => {
  const { arguments: input, changes, command, prompt, query } = item
  return (
    input ??
    Object.fromEntries(Object.entries({ command, query, prompt, changes }).filter(([, value]) => value))
  )
}

const toolOutput = (item: JsonObject): unknown =>
  textAt(item, "aggregated_output") ??
  textAt(objectAt(item, "error"), "message") ??
  objectAt(item, "result")["content"]

/** Items that are no tools and show nothing. */
const silent = new Set(["reasoning", "plan", "todo_list"])

/** Items that come only when they are complete, in most versions. */
const atOnce = new Set(["file_change"])

const itemLines = (item: JsonObject, isComplete: boolean): ReadonlyArray<AgentLine> => {
  const id = textAt(item, "id")
  const type = textAt(item, "type")
  if (id === undefined || type === undefined || silent.has(type)) return []
  const text = textAt(item, "text") ?? textAt(item, "message")
  if (type === "agent_message") return isComplete && text !== undefined ? [textLine(text)] : []
  if (type === "error") return isComplete && text !== undefined ? [noticeLine(text)] : []
  const call = callLine({ id, name: toolName(item, type), input: toolInput(item) })
  if (!isComplete) return atOnce.has(type) ? [] : [call]
  const hasFailed = item["status"] === "failed" || item["status"] === "declined"
  const result = returnLine(id, toolOutput(item), hasFailed)
  return atOnce.has(type) ? [call, result] : [result]
}

/** The tokens of the whole session, earlier runs included. Those of the cache are among the input. */
const usedTokens = (usage: JsonObject): JsonObject => {
  const cached = numberAt(usage, "cached_input_tokens") ?? 0
  return {
    input_tokens: (numberAt(usage, "input_tokens") ?? 0) - cached,
    output_tokens: usage["output_tokens"],
    cache_read_input_tokens: cached,
    cache_creation_input_tokens: usage["cache_write_input_tokens"]
  }
}

const parsedLines = (object: JsonObject): ReadonlyArray<AgentLine> | undefined => {
  const message = textAt(object, "message")
  switch (object["type"]) {
    case "thread.started": {
      const id = textAt(object, "thread_id")
      return id === undefined ? undefined : [sessionLine(id)]
    }
    case "turn.completed":
      return [endLine(undefined, { usage: usedTokens(objectAt(object, "usage")) })]
    case "turn.failed":
      return [endLine(failureOf(textAt(objectAt(object, "error"), "message") ?? "the turn failed"))]
    case "item.started":
    case "item.completed":
      return itemLines(objectAt(object, "item"), object["type"] === "item.completed")
    case "turn.started":
    case "item.updated":
      return []
    case "error":
      // Other programs print errors as well, with a level or a time.
      return message === undefined || Object.keys(object).length !== 2 ? undefined : [errorLine(message)]
    default:
      return undefined
  }
}

/** An item without its texts, which may be long. */
const itemHead =
  /^\{\s*"type"\s*:\s*"item\.(started|completed)"\s*,\s*"item"\s*:\s*\{\s*"id"\s*:\s*"([^"\\]{1,200})"\s*,\s*"type"\s*:\s*"([a-z_]{1,40})"/

const begins = (text: string): boolean => /^\{\s*"type"\s*:\s*"thread\.started"/.test(text)

const isLine = (text: string): boolean => /^\{\s*"type"\s*:\s*"(?:thread\.|turn\.|item\.|error")/.test(text)

const linesOf = (
  text: string,
  maxLength = Number.POSITIVE_INFINITY
): ReadonlyArray<AgentLine> | undefined => {
  if (!isLine(text)) return undefined
  const object = text.length <= maxLength ? parsedObject(text) : undefined
  if (object !== undefined) return parsedLines(object)
  const [, phase, id, type] = itemHead.exec(text) ?? []
  return phase === undefined ? undefined : itemLines({ id, type }, phase === "completed")
}

const spoken = /^(?:error\b|thread '.*' panicked)/i

const meaning = ({ exit, lastLines, seen }: AgentEnd): AgentMeaning | undefined => {
  if (seen.sessionId === undefined) {
    const says = lastLines.findLast((line) => spoken.test(line))
    return exit.code === 2 && says !== undefined ? { kind: "bad-arguments", says } : undefined
  }
  // Codex names each failure. Only after SIGINT it exits with 1 and prints nothing.
  const isSilent =
    seen.result === undefined && seen.error === undefined && !lastLines.some((line) => spoken.test(line))
  return exit.code === 1 && isSilent ? { kind: "killed-by-other", signal: "SIGINT" } : undefined
}

const refusal = ({ lastLines, seen }: AgentEnd): SessionRefusal | undefined =>
  seen.turns === 0 && lastLines.some((line) => /\bno rollout found for thread id\b/.test(line))
    ? "unknown"
    : undefined

export const codex: AgentAdapter = {
  name: "codex",
  title: "Codex",
  login: {
    keys: ["CODEX_API_KEY", "OPENAI_API_KEY"],
    providers: ["OPENAI_BASE_URL"],
    files: [
      { variable: "CODEX_HOME", path: "auth.json" },
      { variable: "HOME", path: ".codex/auth.json" }
    ],
    prefersKeys: false,
    isOneAccount: true
  },
  runs,
  first: () => undefined,
  resume,
  withModel: (argv, model) => withModel(argv, given, new Set(["-m", "--model"]), model, true),
  begins,
  isLine,
  linesOf,
  next: foldOf(linesOf),
  meaning,
  refusal
}
