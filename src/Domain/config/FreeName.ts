import type { ProjectName } from "../Project.ts"
import { isProjectName } from "../ProjectNameRules.ts"

/** The longest name, without room for a number behind it. */
const longestName = 60

/** A name for a project in this folder that no other project has: `shop`, `shop-2`. */
export const freeName = (folder: string, taken: ReadonlyArray<string>): ProjectName => {
  const base = folder
    .slice(folder.lastIndexOf("/") + 1)
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, longestName)
  const stem = isProjectName(base) ? base : "agent"
  for (let count = 1; ; count++) {
    const name = count === 1 ? stem : `${stem}-${count}`
    if (isProjectName(name) && !taken.includes(name)) return name
  }
}
