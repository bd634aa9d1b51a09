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
  valueOf,
  withModel
} from "./AgentArguments.ts"
import { foldOf } from "./AgentFold.ts"
import { callLine, endLine, failureLine, openingLine, returnLine, textLine, usageLine } from "./CommonLine.ts"
import { continued } from "./PromptOption.ts"

/** The options of OpenCode 1.18.33. */
const options = optionsOf({
  flag: `-h --help -v --version --print-logs --pure -c --continue --fork --share --thinking -i --interactive --auto`,
  value: `--log-level --command -s --session -m --model --agent --format --title --attach -p --password -u --username
    --dir --port --variant`,
  maybe: "",
  list: "-f --file"
})

/** Options with which it works for a person, or shows something else. */
const elsewhere = new Set("-h --help -v --version -i --interactive".split(" "))

const session = new Set(["-c", "--continue", "-s", "--session", "--fork"])

const given = (argv: CommandLine): Arguments => argumentsOf(argv, options)

const runs = (argv: CommandLine): boolean => {
  const all = given(argv)
  const [word] = all.operands
  return (
    programOf(argv) === "opencode" &&
    word !== undefined &&
    argv[word] === "run" &&
    valueOf(all, "--format") === "json" &&
    !has(all, elsewhere)
  )
}

const resume = (argv: CommandLine, sessionId: string, prompt: string | undefined): CommandLine | undefined =>
  // The message of a command is its arguments.
  prompt !== undefined && runs(argv) && !has(given(argv), new Set(["--command"]))
    ? continued(argv, given, {
        prompts: new Set(),
        session,
        added: ["-s", sessionId],
        prompt,
        operandsBefore: 1
      })
    : undefined

const errorLine = (error: JsonObject): AgentLine => {
  const data = objectAt(error, "data")
  return failureLine({
    text:
      textAt(data, "message") ?? textAt(error, "message") ?? textAt(error, "name") ?? "it reported an error",
    name: textAt(error, "name"),
    status: numberAt(data, "statusCode")
  })
}

/** A tool is told when it has returned. */
const toolLines = (part: JsonObject, answer: string | undefined): ReadonlyArray<AgentLine> => {
  const id = textAt(part, "callID")
  if (id === undefined) return []
  const state = objectAt(part, "state")
  const output = textAt(state, "output") ?? textAt(state, "error")
  return [
    callLine({ id, name: textAt(part, "tool") ?? "a tool", input: state["input"] }, answer),
    returnLine(id, output, state["status"] === "error")
  ]
}

/** The tokens and the cost of one answer. */
const usedLine = (part: JsonObject): AgentLine => {
  const tokens = objectAt(part, "tokens")
  const cache = objectAt(tokens, "cache")
  const usage = {
    input_tokens: tokens["input"],
    output_tokens: (numberAt(tokens, "output") ?? 0) + (numberAt(tokens, "reasoning") ?? 0),
    cache_read_input_tokens: cache["read"],
    cache_creation_input_tokens: cache["write"]
  }
  return usageLine(usage, numberAt(part, "cost"))
}

const partLines = (object: JsonObject): ReadonlyArray<AgentLine> => {
  const part = objectAt(object, "part")
  const answer = textAt(part, "messageID")
  const text = textAt(part, "text")
  switch (object["type"]) {
    case "step_start":
      return [openingLine(answer)]
    case "text":
      return text === undefined ? [] : [textLine(text, answer)]
    case "tool_use":
      return toolLines(part, answer)
    case "step_finish":
      // The agent goes on after any other reason.
      return part["reason"] === "stop" ? [usedLine(part), endLine(undefined)] : [usedLine(part)]
    case "error":
      return [errorLine(objectAt(object, "error"))]
    default:
      return []
  }
}

const mark = /^\{\s*"type"\s*:\s*"[a-z_]{1,40}"\s*,\s*"timestamp"\s*:\s*\d{1,16}\s*,\s*"sessionID"\s*:\s*"/

const isLine = (text: string): boolean => mark.test(text)

const linesOf = (
  text: string,
  maxLength = Number.POSITIVE_INFINITY
): ReadonlyArray<AgentLine> | undefined => {
  const object = isLine(text) && text.length <= maxLength ? parsedObject(text) : undefined
  const sessionId = object && textAt(object, "sessionID")
  if (object === undefined || sessionId === undefined) return undefined
  return partLines(object).map((line) => ({ ...line, object: { ...line.object, session_id: sessionId } }))
}

const meaning = ({ seen }: AgentEnd): AgentMeaning | undefined =>
  seen.error?.error === "MessageAbortedError" ? { kind: "killed-by-other", signal: "SIGINT" } : undefined

const refusal = ({ lastLines, seen }: AgentEnd): SessionRefusal | undefined =>
  seen.turns === 0 && lastLines.some((line) => /^Error: Session not found\b/.test(line))
    ? "unknown"
    : undefined

export const opencode: AgentAdapter = {
  name: "opencode",
  title: "OpenCode",
  login: {
    keys: [],
    providers: [],
    files: [
      { variable: "XDG_DATA_HOME", path: "opencode/auth.json" },
      { variable: "HOME", path: ".local/share/opencode/auth.json" }
    ],
    prefersKeys: false,
    // Its file holds the logins of many providers.
    isOneAccount: false
  },
  runs,
  first: () => undefined,
  resume,
  withModel: (argv, model) => withModel(argv, given, new Set(["-m", "--model"]), model, true),
  begins: isLine,
  isLine,
  linesOf,
  next: foldOf(linesOf),
  meaning,
  refusal
}
