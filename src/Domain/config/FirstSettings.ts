import { adapters } from "../adapter/AgentAdapters.ts"
import type { AgentName } from "../agent/AgentName.ts"
import type { ProjectName } from "../Project.ts"
import { keyPathText } from "../toml/KeyPath.ts"
import { tomlText } from "../toml/RawSettings.ts"

/** What `autopilotd init` finds in a folder and on the machine. */
export interface FolderFacts {
  /** Absolute. */
  readonly workingDir: string
  readonly isFolder: boolean
  /** The first known agent on the caller's PATH. */
  readonly agent: AgentName | undefined
  /** Whether it has a login, as far as its files and variables tell, those of the env file among them. */
  readonly isLoggedIn: boolean
  /** The path of the env file, absolute. */
  readonly envFile: string
  readonly isGitRepository: boolean
  readonly hasTodo: boolean
  /** Claude Code refuses to run without permissions as root. */
  readonly isRoot: boolean
}

const prompt =
  "Work through TODO.md. After each item run the tests, commit, and tick it off. Stop when all are done. If there is no TODO.md, write down in it what is unfinished or broken here, and stop."

/** The command line of each agent without a person, with its stream. */
const argvOf: Readonly<Record<Exclude<AgentName, "claude">, ReadonlyArray<string>>> = {
  codex: [
    "codex",
    "exec",
    "--json",
    "--skip-git-repo-check",
    "--dangerously-bypass-approvals-and-sandbox",
    prompt
  ],
  gemini: ["gemini", "-p", prompt, "-o", "stream-json", "-y", "--skip-trust"],
  qwen: ["qwen", "-p", prompt, "-o", "stream-json", "-y"],
  opencode: ["opencode", "run", "--format", "json", "--auto", prompt]
}

/** The lines of a worker command with its comments. `table` is the path of the table that it stands in. */
const workerLines = (
  { agent = "claude", isRoot }: FolderFacts,
  table: ReadonlyArray<string>
): ReadonlyArray<string> => {
  const head = `[${keyPathText([...table, "worker_command"])}]`
  const warning =
    "# Nobody is there to ask: the agent may run any command as you. Use a machine or user that you can afford to lose."
  if (agent !== "claude") return [head, 'type = "Command"', warning, `argv = ${tomlText(argvOf[agent])}`]
  return [
    head,
    'type = "Claude"          # Claude Code; after a crash, a limit or a restart it continues the same conversation',
    `prompt = ${tomlText(prompt)}`,
    ...(isRoot
      ? [
          "# Claude Code asks for permissions as root, and is denied what it would ask for: better run it as another user.",
          'args = ["--permission-mode", "acceptEdits"]'
        ]
      : [warning, 'args = ["--dangerously-skip-permissions"]'])
  ]
}

/** The settings of a first project, in a file of their own. */
export const firstSettings = (name: ProjectName, facts: FolderFacts): string =>
  [
    "# Settings of autopilotd. What is not set has its default; all keys: autopilotd config check.",
    "",
    `project = ${tomlText(name)}`,
    `working_dir = ${tomlText(facts.workingDir)}`,
    ...(facts.agent === undefined || facts.agent === "claude"
      ? ["max_budget = 20           # US dollars for the whole work, over all restarts"]
      : []),
    "",
    ...workerLines(facts, []),
    "",
    "[memory]",
    "worker_limit_bytes = 8_589_934_592  # restart the agent when its processes hold more than 8 GiB",
    ""
  ].join("\n")

/** The worker of settings that have none, to be put at the end of a settings file. */
export const firstWorker = (facts: FolderFacts): string => [...workerLines(facts, []), ""].join("\n")

/** The table of one more project, to be put at the end of a settings file. */
export const oneMoreProject = (name: ProjectName, facts: FolderFacts): string =>
  [
    `[${keyPathText(["projects", name])}]  # it inherits the top level`,
    `working_dir = ${tomlText(facts.workingDir)}`,
    "",
    ...workerLines(facts, ["projects", name]),
    ""
  ].join("\n")

/** Where an agent without a login gets one. */
const waysToLogin = (agent: AgentName, envFile: string): string => {
  const key = adapters[agent].login.keys.find((name) => name.endsWith("_API_KEY"))
  return `run ${agent} once and log in${key === undefined ? "" : `, or write ${key}=... into ${envFile}`}`
}

/** What was found, in sentences, with what to do before the first start. */
export const factSentences = ({
  agent,
  envFile,
  hasTodo,
  isGitRepository,
  isLoggedIn
}: FolderFacts): ReadonlyArray<string> => [
  agent === undefined
    ? "No agent was found on PATH (claude, codex, gemini, qwen, opencode). Install one before the first start; the settings are for Claude Code."
    : `${adapters[agent].title} was found${isLoggedIn ? ", with a login" : `, but no login: ${waysToLogin(agent, envFile)}`}.`,
  hasTodo
    ? "The agent works through TODO.md."
    : "There is no TODO.md: write what is to be done into it, or the agent first writes one.",
  ...(isGitRepository
    ? []
    : ["The folder is no git repository: git init lets you see, and take back, what the agent changes."])
]
