import type { KeyPath } from "../toml/KeyPath.ts"

/**
 * Whether a value of daemon.toml may be a secret: a variable of `env`, the URL of a channel, a command of a channel with a
 * URL in it. `value` is its text as it stands in the file.
 */
export const isSecretSetting = (path: KeyPath, value: string): boolean => {
  const [table, ...rest] = path[0] === "projects" ? path.slice(2) : path
  if (table === "env") return true
  return table === "notify" && rest[0] === "to" && (rest[2] === "url" || value.includes("://"))
}
