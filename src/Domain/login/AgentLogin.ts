import { adapters } from "../adapter/AgentAdapters.ts"
import type { AgentName } from "../agent/AgentName.ts"

/** The login of a worker's agent, as its environment tells it. */
export interface AgentLogin {
  /** The keys and providers that choose it. Secrets: only their hash may be kept. Undefined where an agent has several. */
  readonly chosenBy: string | undefined
  /** The file of the login. It may be relative to the folder of the worker. */
  readonly file: string | undefined
  /** Whether another file is another login. */
  readonly isOfFile: boolean
}

type Environment = Readonly<Record<string, string | undefined>>

const isSet = (value: string | undefined): value is string => value !== undefined && value !== ""

/** The login of an agent with these variables. */
export const loginOf = (agent: AgentName, env: Environment): AgentLogin => {
  const { files, isOneAccount, keys, prefersKeys, providers } = adapters[agent].login
  const place = files.find(({ variable }) => isSet(env[variable]))
  const held = keys.map((name) => env[name] ?? "")
  const parts = [agent, ...providers.map((name) => env[name] ?? ""), ...held]
  return {
    chosenBy: isOneAccount ? JSON.stringify(parts) : undefined,
    file: place && `${env[place.variable]}/${place.path}`,
    isOfFile: !(prefersKeys && held.some(isSet))
  }
}
