import type { EffectiveProject } from "./EffectiveSettings.ts"
import { keyPathText } from "./KeyPath.ts"
import { provenanceOf } from "./SettingsMerge.ts"

/** Read and checked, but nothing in this version acts on them: a person who sets one must be told. */
const withoutEffect: ReadonlyArray<string> = ["restart.stall_timeout_ms"]

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
        "a worker that says nothing is left alone"
}
