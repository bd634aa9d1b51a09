import { looksLikeAgentLine } from "../agent/AgentLine.ts"
import { nextAgent } from "../agent/AgentStream.ts"
import type {
  AgentAdapter,
  AgentEnd,
  AgentMeaning,
  CommandLine,
  RunLimits,
  SessionRefusal
} from "./AgentAdapter.ts"
import {
  type Arguments,
  argumentsOf,
  has,
  optionsOf,
  programOf,
  valueOf,
  withArgument,
  withModel,
  withOptions
} from "./AgentArguments.ts"

/** The options of Claude Code 2.1.197 to 2.1.332, those that its help leaves out included. */
const options = optionsOf({
  flag: `-p --print -c --continue -h --help -v --version --verbose --bg --background --bare --brief --chrome --no-chrome
    --allow-dangerously-skip-permissions --dangerously-skip-permissions --ax-screen-reader --desktop
    --disable-slash-commands --enable-auto-mode --exclude-dynamic-system-prompt-sections --fork-session
    --forward-subagent-text --ide --include-hook-events --include-partial-messages --init --init-only --maintenance
    --no-session-persistence --replay-user-messages --restricted --safe-mode --strict-mcp-config --tmux`,
  value: `--agent --agents --append-system-prompt --append-system-prompt-file --append-subagent-system-prompt
    --append-subagent-system-prompt-file --autocompact --debug-file --effort --environment --fallback-model
    --input-format --json-schema --max-budget-usd --max-thinking-tokens --max-turns --model -n --name --output-format
    --permission-mode --permission-prompt-tool --permission-prompts --prefill --plugin-dir --plugin-dir-no-mcp --plugin-url
    --remote-control-session-name-prefix --session-id --setting-sources --settings --system-prompt
    --system-prompt-file --system-prompt-snapshot --task-budget --thinking --resume-session-at --fast-mode`,
  maybe: `-r --resume -d --debug --from-pr --prompt-suggestions --remote-control --cloud --teleport -w --worktree`,
  list: `--add-dir --allowedTools --allowed-tools --betas --disallowedTools --disallowed-tools --file --mcp-config --tools`
})

const print = new Set(["-p", "--print"])

/** Options that choose the session. */
const session = new Set([
  "--session-id",
  "-r",
  "--resume",
  "-c",
  "--continue",
  "--fork-session",
  "--resume-session-at"
])

/** Options with which it shows something else, or works somewhere else. */
const elsewhere = new Set([
  "-h",
  "--help",
  "-v",
  "--version",
  "--bg",
  "--background",
  "--cloud",
  "--desktop",
  "--environment",
  "--init-only",
  "--remote-control"
])

/** Options with which a session cannot be continued, or would continue in another folder. */
const unresumable = new Set(["--no-session-persistence", "--from-pr", "--teleport", "-w", "--worktree"])

/** Its commands: a prompt of such a word is none. */
const commands = new Set(
  `agents attach auth auto-mode config doctor eval gateway import install kill logs mcp plugin plugins project purge
  remote-control respawn rm setup-token stop ultrareview update upgrade`.split(/\s+/)
)

const given = (argv: CommandLine): Arguments => argumentsOf(argv, options)

const wordAt = (argv: CommandLine, place: number | undefined): string =>
  place === undefined ? "" : (argv[place] ?? "")

const runs = (argv: CommandLine): boolean => {
  const all = given(argv)
  return (
    programOf(argv) === "claude" &&
    has(all, print) &&
    !has(all, elsewhere) &&
    valueOf(all, "--output-format") === "stream-json" &&
    !commands.has(wordAt(argv, all.operands[0]))
  )
}

const first = (argv: CommandLine, sessionId: string): CommandLine | undefined => {
  const all = given(argv)
  return runs(argv) && !has(all, session) && !has(all, unresumable)
    ? withOptions(argv, all, new Set(), ["--session-id", sessionId])
    : undefined
}

const isOnInput = (argv: CommandLine): boolean => valueOf(given(argv), "--input-format") === "stream-json"

/** The place of the prompt; undefined where it is uncertain or comes on standard input. */
const promptPlace = (argv: CommandLine): number | undefined => {
  const { isCertain, operands } = given(argv)
  return isCertain && !isOnInput(argv) && operands.length === 1 ? operands[0] : undefined
}

/** The command line with another prompt; undefined where the place of the first is uncertain. */
const withPrompt = (argv: CommandLine, prompt: string | undefined): CommandLine | undefined => {
  const { isCertain, operands } = given(argv)
  if (prompt === undefined) return isCertain && isOnInput(argv) && operands.length === 0 ? argv : undefined
  const place = promptPlace(argv)
  if (place === undefined) return undefined
  const prompted = withArgument(argv, place, prompt)
  // A prompt that looks like an option or a command is taken for one.
  return runs(prompted) && promptPlace(prompted) === place ? prompted : undefined
}

const resume = (
  argv: CommandLine,
  sessionId: string,
  prompt: string | undefined
): CommandLine | undefined => {
  const prompted = runs(argv) && !has(given(argv), unresumable) ? withPrompt(argv, prompt) : undefined
  return prompted && withOptions(prompted, given(prompted), session, ["--resume", sessionId])
}

const ownSession = (argv: CommandLine): string | undefined => valueOf(given(argv), "--session-id")

const inputOptions = new Set(["--input-format"])

const fed = (argv: CommandLine): { readonly argv: CommandLine; readonly prompt: string } | undefined => {
  const place = promptPlace(argv)
  const prompt = place === undefined ? undefined : argv[place]
  if (place === undefined || prompt === undefined || !runs(argv) || has(given(argv), inputOptions))
    return undefined
  const [program, ...rest] = argv
  const without: CommandLine = [program, ...rest.toSpliced(place - 1, 1)]
  const changed = withOptions(without, given(without), new Set(), ["--input-format", "stream-json"])
  return withPrompt(changed, undefined) === undefined ? undefined : { argv: changed, prompt }
}

const budgetOption = "--max-budget-usd"
const turnsOption = "--max-turns"

const figure = (value: string | undefined): number | undefined => {
  const amount = Number(value)
  return value !== undefined && value.trim() !== "" && Number.isFinite(amount) && amount >= 0
    ? amount
    : undefined
}

const limitsOf = (argv: CommandLine): RunLimits => ({
  usd: figure(valueOf(given(argv), budgetOption)),
  turns: figure(valueOf(given(argv), turnsOption))
})

/** Rounded up: an agent that may spend nothing does not start. */
const dollarText = (usd: number): string => String(Math.max(0.01, Math.ceil(usd * 100) / 100))

const limited = (argv: CommandLine, { turns, usd }: RunLimits): CommandLine =>
  withOptions(
    argv,
    given(argv),
    new Set([...(usd === undefined ? [] : [budgetOption]), ...(turns === undefined ? [] : [turnsOption])]),
    [
      ...(usd === undefined ? [] : [budgetOption, dollarText(usd)]),
      ...(turns === undefined ? [] : [turnsOption, String(turns)])
    ]
  )

const refusals: ReadonlyArray<readonly [RegExp, SessionRefusal]> = [
  [/^no conversation found with session id\b/i, "unknown"],
  [/^(?:error: )?session id [\w-]+ is already in use\b/i, "in-use"]
]

const refusal = ({ lastLines, seen }: AgentEnd): SessionRefusal | undefined => {
  if (seen.turns > 0) return undefined
  const said = [seen.result?.text ?? "", ...lastLines]
  return refusals.find(([words]) => said.some((line) => words.test(line)))?.[1]
}

/**
 * A finished run ends with a result. After SIGINT on a busy machine a run has exited with 0 and none was read, so that exit
 * is taken for the signal's; why there was no result is not known.
 */
const meaning = ({ exit, seen }: AgentEnd): AgentMeaning | undefined =>
  exit.code === 0 && seen.result === undefined && seen.sessionId !== undefined
    ? { kind: "killed-by-other", signal: "SIGINT" }
    : undefined

export const claude: AgentAdapter = {
  name: "claude",
  title: "Claude Code",
  login: {
    keys: ["ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN"],
    providers: ["ANTHROPIC_BASE_URL", "CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX"],
    files: [
      { variable: "CLAUDE_CONFIG_DIR", path: ".credentials.json" },
      { variable: "HOME", path: ".claude/.credentials.json" }
    ],
    prefersKeys: true,
    isOneAccount: true
  },
  runs,
  first,
  resume,
  withModel: (argv, model) => withModel(argv, given, new Set(["--model"]), model),
  ownSession,
  fed,
  limited,
  limitsOf,
  begins: looksLikeAgentLine,
  isLine: looksLikeAgentLine,
  next: nextAgent,
  meaning,
  refusal
}
