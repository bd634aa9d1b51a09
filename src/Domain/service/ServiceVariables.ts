import { adapters, agentIn } from "../adapter/AgentAdapters.ts"
import { listed } from "../text/TextLayout.ts"
import type { WorkerPlan } from "../worker/ProjectPlan.ts"
import { environmentFrom } from "../worker/WorkerEnvironment.ts"
import type { Launcher } from "./Launcher.ts"

export type Variables = Readonly<Record<string, string | undefined>>

/** The environment of the service: the user manager's, with the launcher's variables. */
export const serviceEnvironment = (manager: Variables, { home, path }: Launcher): Variables => ({
  ...manager,
  ...(path.length === 0 ? {} : { PATH: path.join(":") }),
  ...(home === undefined ? {} : { AUTOPILOT_HOME: home })
})

/** What programs of any kind read: proxies, certificates, the login to GitHub. */
const common = [
  ...["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"].flatMap((name) => [name, name.toLowerCase()]),
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "GH_TOKEN",
  "GITHUB_TOKEN"
]

/** The variables that a worker may need. A program that is no known agent may start any of them. */
const neededBy = ({ agent, argv }: WorkerPlan): ReadonlyArray<string> => {
  const known = agent?.adapter ?? agentIn(argv)
  const agents = known === undefined ? Object.values(adapters) : [known]
  const ofLogins = agents.flatMap(({ login: { files, keys, providers } }) => [
    ...keys,
    ...providers,
    ...files.map(({ variable }) => variable)
  ])
  return [...new Set([...ofLogins, ...common])]
}

/** The variables that a worker may need, that the shell has, and that its environment under the service lacks. */
export const lackingVariables = (
  plan: WorkerPlan,
  shell: Variables,
  worker: Variables
): ReadonlyArray<string> => {
  const here = environmentFrom(shell).of({}, {}, "")
  return neededBy(plan).filter((name) => (here[name] ?? "") !== "" && worker[name] === undefined)
}

/** What the workers with one env file lack. */
export interface LackingVariables {
  readonly envFile: string
  readonly projects: ReadonlyArray<string>
  /** Names only: the values are secrets. */
  readonly names: ReadonlyArray<string>
}

/** The same, together for all workers with the same env file. Without those that lack nothing. */
export const byEnvFile = (
  workers: ReadonlyArray<{ readonly plan: WorkerPlan; readonly names: ReadonlyArray<string> }>
): ReadonlyArray<LackingVariables> => {
  const files = [
    ...new Set(workers.filter(({ names }) => names.length > 0).map(({ plan }) => plan.envFile.path))
  ]
  return files.map((envFile) => {
    const those = workers.filter(({ names, plan }) => plan.envFile.path === envFile && names.length > 0)
    return {
      envFile,
      projects: those.map(({ plan }) => plan.project),
      names: [...new Set(those.flatMap(({ names }) => names))]
    }
  })
}

/** What is lacking, in one sentence, and the command that adds it from this shell, without a full stop. */
export const lackingText = ({ envFile, names, projects }: LackingVariables) => {
  const lines = names.map((name) => `"${name}=$${name}"`).join(" ")
  return {
    what: `${listed(projects)} ${projects.length === 1 ? "does" : "do"} not get ${listed(names)} of this shell from the service.`,
    fix: `(umask 077; printf '%s\\n' ${lines} >>'${envFile.replaceAll("'", `'\\''`)}')`
  }
}
