import type { AgentAdapter, AgentEnd, CommandLine, SessionRefusal } from "./AgentAdapter.ts"
import {
  type Arguments,
  argumentsOf,
  has,
  optionsOf,
  programOf,
  valueOf,
  withArgument,
  withOptions
} from "./AgentArguments.ts"
import { nextAgent } from "./AgentStream.ts"

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

/** The place of the prompt; undefined where it is uncertain or comes on standard input. */
const promptPlace = (argv: CommandLine): number | undefined => {
  const { isCertain, operands } = given(argv)
  const isOnInput = valueOf(given(argv), "--input-format") === "stream-json"
  return isCertain && !isOnInput && operands.length === 1 ? operands[0] : undefined
}

const resume = (argv: CommandLine, sessionId: string, prompt: string): CommandLine | undefined => {
  const place = promptPlace(argv)
  if (!runs(argv) || place === undefined || has(given(argv), unresumable)) return undefined
  const prompted = withArgument(argv, place, prompt)
  // A prompt that looks like an option or a command is taken for one.
  if (!runs(prompted) || promptPlace(prompted) !== place) return undefined
  return withOptions(prompted, given(prompted), session, ["--resume", sessionId])
}

const refusals: ReadonlyArray<readonly [RegExp, SessionRefusal]> = [
  [/^no conversation found with session id\b/i, "unknown"],
  [/^(?:error: )?session id [\w-]+ is already in use\b/i, "in-use"]
]

const refusal = ({ lastLines, seen }: AgentEnd): SessionRefusal | undefined => {
  if (seen.turns > 0) return undefined
  const said = [seen.result?.text ?? "", ...lastLines]
  return refusals.find(([words]) => said.some((line) => words.test(line)))?.[1]
}

export const claude: AgentAdapter = {
  name: "claude",
  title: "Claude Code",
  runs,
  first,
  resume,
  next: nextAgent,
  meaning: () => undefined,
  refusal
}
