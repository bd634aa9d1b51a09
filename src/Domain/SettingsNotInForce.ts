import type { EffectiveProject } from "./EffectiveSettings.ts"
import { keyPathText } from "./KeyPath.ts"
import { provenanceOf } from "./SettingsMerge.ts"

/** Read and checked, but nothing in this version acts on them: a person who sets one must be told. */
const withoutEffect: ReadonlyArray<string> = [
  "memory.min_available_bytes",
  "memory.critical_threshold_bytes",
  "memory.node_kill_threshold_bytes",
  "memory.hog_names",
  "memory.hog_policy",
  "memory.protect",
  "memory.worker_limit_bytes",
  "memory.critical_restart",
  "memory.dry_run",
  "restart.stall_timeout_ms"
]

/** How a setting is called in the file, by the place where it was set. */
const keyInFile = (project: EffectiveProject, key: string): string =>
  provenanceOf(project, key).startsWith("file [")
    ? `${keyPathText(["projects", project.project])}.${key}`
    : key

/** The settings that somebody has set and that this version does not act on yet, as one sentence; undefined: none. */
export const notInForce = (projects: ReadonlyArray<EffectiveProject>): string | undefined => {
  const keys = [
    ...new Set(
      projects.flatMap((project) =>
        withoutEffect.filter((key) => project.provenance.has(key)).map((key) => keyInFile(project, key))
      )
    )
  ]
  const [are, them] = keys.length === 1 ? ["is", "it"] : ["are", "them"]
  return keys.length === 0
    ? undefined
    : `${keys.join(", ")} ${are} checked, but this version does not act on ${them} yet: ` +
        "memory and output are watched, and nothing is ended or restarted for them"
}
