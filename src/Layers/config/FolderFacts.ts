import * as fs from "node:fs/promises"
import { join, resolve } from "node:path"
import * as Effect from "effect/Effect"
import { adapters } from "../../Domain/adapter/AgentAdapters.ts"
import { type AgentName, agentNames } from "../../Domain/agent/AgentName.ts"
import type { FolderFacts } from "../../Domain/config/FirstSettings.ts"
import { loginOf } from "../../Domain/login/AgentLogin.ts"
import { inPlainCode } from "../concurrency/PlainCode.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { Caller } from "../daemon/Caller.ts"
import { programOn } from "../tree/Executable.ts"
import { envFileAt } from "../worker/EnvFileText.ts"

const isThere = (path: string): Effect.Effect<boolean> =>
  Effect.promise(() =>
    fs.access(path).then(
      () => true,
      () => false
    )
  )

const hasLogin = (agent: AgentName, environment: Caller["Type"]["environment"], folder: string) => {
  const { file } = loginOf(agent, environment)
  return adapters[agent].login.keys.some((name) => (environment[name] ?? "") !== "")
    ? Effect.succeed(true)
    : file === undefined
      ? Effect.succeed(false)
      : isThere(resolve(folder, file))
}

/** The variables of the env file; none where it cannot be read, which the start of a worker says. */
const variablesIn = (path: string): Effect.Effect<Readonly<Record<string, string>>> =>
  inPlainCode((timer) => envFileAt(timer, path, { mustExist: false })).pipe(
    Effect.match({ onFailure: () => ({}), onSuccess: ({ values }) => values })
  )

/** Looks for an agent on the caller's PATH, its login, and what the folder holds. */
export const folderFacts = Effect.fnUntraced(function* (workingDir: string) {
  const { cwd, environment } = yield* Caller
  const { envFile } = yield* AutopilotHome
  const path = environment["PATH"] ?? ""
  const [agent] = yield* Effect.filter(agentNames, (name) =>
    Effect.map(programOn(path, name, cwd), (found) => found !== undefined)
  )
  return {
    workingDir,
    isFolder: yield* isThere(join(workingDir, ".")),
    agent,
    isLoggedIn:
      agent !== undefined &&
      (yield* hasLogin(agent, { ...environment, ...(yield* variablesIn(envFile)) }, workingDir)),
    envFile,
    isGitRepository: yield* isThere(join(workingDir, ".git")),
    hasTodo: yield* isThere(join(workingDir, "TODO.md")),
    isRoot: process.getuid?.() === 0
  } satisfies FolderFacts
})
