import { type AgentLine, agentLineOf, blocksOf, looksLikeAgentLine, textAt } from "../agent/AgentLine.ts"
import type { AgentSeen } from "../agent/AgentSeen.ts"
import { nextAgent } from "../agent/AgentStream.ts"
import type {
  AgentAdapter,
  AgentEnd,
  AgentMeaning,
  CommandLine,
  Mask,
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
import { endLine, failureLine } from "./CommonLine.ts"
import { continued } from "./PromptOption.ts"

/** The options of Qwen Code 0.15.10. */
const options = optionsOf({
  flag: `--telemetry --telemetry-log-prompts -d --debug --bare --chat-recording --no-chat-recording -s --sandbox -y --yolo
    --checkpointing --acp --experimental-lsp -l --list-extensions --openai-logging --screen-reader
    --include-partial-messages -c --continue -v --version -h --help`,
  value: `--telemetry-target --telemetry-otlp-endpoint --telemetry-otlp-protocol --telemetry-outfile --proxy -m --model -p
    --prompt -i --prompt-interactive --system-prompt --append-system-prompt --sandbox-image --approval-mode --channel
    --mcp-config --openai-logging-dir --openai-api-key --openai-base-url --input-format -o --output-format --json-fd
    --json-file --json-schema --input-file --session-id --max-session-turns --auth-type`,
  maybe: "-r --resume",
  list: `--allowed-mcp-server-names --allowed-tools -e --extensions --include-directories --add-dir --core-tools
    --exclude-tools --disabled-slash-commands`
})

/** Options with which it works for a person, or shows something else. */
const elsewhere = new Set(
  "-i --prompt-interactive --acp -l --list-extensions -v --version -h --help".split(" ")
)

const prompts = new Set(["-p", "--prompt"])
const session = new Set(["-r", "--resume", "-c", "--continue", "--session-id"])
/** Without a recording no session can be continued. */
const unresumable = new Set(["--chat-recording", "--no-chat-recording"])

const commands = new Set("mcp extensions auth hooks hook channel review".split(" "))

const given = (argv: CommandLine): Arguments => argumentsOf(argv, options)

const runs = (argv: CommandLine): boolean => {
  const all = given(argv)
  const [word] = all.operands
  return (
    programOf(argv) === "qwen" &&
    valueOf(all, "-o", "--output-format") === "stream-json" &&
    !has(all, elsewhere) &&
    (word === undefined ? has(all, prompts) : !commands.has(argv[word] ?? ""))
  )
}

const resume = (argv: CommandLine, sessionId: string, prompt: string | undefined): CommandLine | undefined =>
  prompt !== undefined &&
  runs(argv) &&
  !has(given(argv), unresumable) &&
  valueOf(given(argv), "--input-format") !== "stream-json"
    ? continued(argv, given, { prompts, session, added: ["--resume", sessionId], prompt, operandsBefore: 0 })
    : undefined

/** Its lines have the form of Claude Code's, and the first one has its version. */
const begins = (text: string): boolean =>
  /^\{\s*"type"\s*:\s*"system"/.test(text) && /"qwen_code_version"\s*:/.test(text)

/** An error in place of an answer, as the whole text: `[API Error: 401 Incorrect API key]`, with advice behind it. */
const apiError = /^\[(API Error: (?:([1-5]\d\d) )?[\s\S]*)\](?:\n|$)/

const textOf = (line: AgentLine): string =>
  line.type === "result"
    ? (textAt(line.object, "result") ?? "")
    : (blocksOf(line).flatMap((block) => textAt(block, "text") ?? [])[0] ?? "")

/** Qwen Code prints an error of the API as an answer, and as the result of a success. */
const linesOf = (text: string): ReadonlyArray<AgentLine> | undefined => {
  if (!text.includes("[API Error: ")) return undefined
  const line = agentLineOf(text, true)
  if (line === undefined || (line.type !== "assistant" && line.type !== "result")) return undefined
  const [, said, code] = apiError.exec(textOf(line)) ?? []
  if (said === undefined) return undefined
  const failure = { text: said, status: code === undefined ? undefined : Number(code) }
  const told = line.type === "result" ? endLine(failure) : failureLine(failure)
  return [{ type: line.type, object: { ...line.object, ...told.object } }]
}

/** An answer that begins with a text has two lines and two ids. The first one has no usage yet. */
const isOpening = (text: string): boolean =>
  text.includes('"usage":{"input_tokens":0,"output_tokens":0}') && text.includes('"type":"assistant"')

const readError = foldOf(linesOf)

const next = (seen: AgentSeen, text: string, atMs: number, mask: Mask): AgentSeen => {
  const failed = readError(seen, text, atMs, mask)
  if (failed !== seen) return failed
  const after = nextAgent(seen, text, atMs, mask)
  return after.turns > seen.turns && isOpening(text) ? { ...after, turns: seen.turns } : after
}

const meaning = ({ exit, lastLines, seen }: AgentEnd): AgentMeaning | undefined =>
  exit.code === 53 && seen.result === undefined
    ? { kind: "max-turns", says: lastLines[0] ?? "it used up its turns" }
    : undefined

const refusal = ({ lastLines, seen }: AgentEnd): SessionRefusal | undefined => {
  if (seen.turns > 0) return undefined
  if (lastLines.some((line) => line.startsWith("No saved session found with ID "))) return "unknown"
  return lastLines.some((line) => /^Error: Session Id [\w-]+ is already in use\./.test(line))
    ? "in-use"
    : undefined
}

export const qwen: AgentAdapter = {
  name: "qwen",
  title: "Qwen Code",
  login: {
    keys: ["OPENAI_API_KEY"],
    providers: ["OPENAI_BASE_URL"],
    files: [{ variable: "HOME", path: ".qwen/oauth_creds.json" }],
    prefersKeys: false,
    isOneAccount: true
  },
  runs,
  // Older versions reject --session-id, and the first line tells the id.
  first: () => undefined,
  resume,
  withModel: (argv, model) => withModel(argv, given, new Set(["-m", "--model"]), model),
  begins,
  isLine: looksLikeAgentLine,
  linesOf,
  next,
  meaning,
  refusal
}
