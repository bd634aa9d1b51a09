import type { RawSettings } from "../toml/RawSettings.ts"

type Variables = Readonly<Record<string, string | undefined>>

/** The environment variables, each with the path of its setting. */
export const settingVariables: ReadonlyArray<{
  readonly name: string
  readonly path: ReadonlyArray<string>
}> = [
  { name: "AUTOPILOT_WORKDIR", path: ["working_dir"] },
  { name: "AUTOPILOT_PROJECT", path: ["project"] },
  { name: "AUTOPILOT_MODEL", path: ["model"] },
  { name: "AUTOPILOT_MAX_BUDGET", path: ["max_budget"] },
  { name: "AUTOPILOT_MAX_TURNS", path: ["max_turns"] },
  { name: "AUTOPILOT_STALL_TIMEOUT_MS", path: ["restart", "stall_timeout_ms"] },
  { name: "AUTOPILOT_RECOVERY_COOLDOWN_MS", path: ["restart", "recovery_cooldown_ms"] }
]

/** The variable that names the default worker; it does not override `worker_command`. */
export const workerBinaryVariable = "AUTOPILOT_WORKER_BINARY"

const texts = ["working_dir", "project", "model"]

/** Anything but a number or `false` stays text, so that the schema refuses it under the variable's name. */
const valueOf = (key: string, text: string): unknown => {
  if (texts.includes(key)) return text
  const bare = text.trim()
  if (bare === "false") return false
  return /^[+-]?\d+(\.\d+)?$/.test(bare) ? Number(bare) : text
}

/** The settings of an environment in the shape of the file. An empty variable counts as unset. */
export const fromEnvironment = (environment: Variables): RawSettings => {
  let top: RawSettings = {}
  let restart: RawSettings = {}
  for (const { name, path } of settingVariables) {
    const text = environment[name]
    const key = path.at(-1)
    if (text === undefined || text === "" || key === undefined) continue
    if (path.length === 1) top = { ...top, [key]: valueOf(key, text) }
    else restart = { ...restart, [key]: valueOf(key, text) }
  }
  return Object.keys(restart).length === 0 ? top : { ...top, restart }
}

/** The variable of the setting at a path. */
export const variableOf = (path: ReadonlyArray<string | number>): string | undefined =>
  settingVariables.find((variable) => variable.path.join(".") === path.join("."))?.name
