import type { ProjectName } from "../Project.ts"
import { type Style, styled } from "../text/Style.ts"

/** Colours that tell names apart; red is for errors. */
const colours: ReadonlyArray<Style> = ["note", "magenta", "ok", "blue", "warning"]

const ownName = "autopilotd"

/**
 * What stands before the lines of a project, or of the daemon (undefined): nothing while there is only one log, and else
 * its name, as wide as the widest so far. A follower meets more projects with time.
 */
export const namePrefixes = (projects: ReadonlyArray<ProjectName>, daemon: boolean, colour: boolean) => {
  const names: Array<string> = [...projects, ...(daemon ? [ownName] : [])]
  return (project: ProjectName | undefined): string => {
    const name = project ?? ownName
    if (!names.includes(name)) names.push(name)
    if (names.length < 2) return ""
    const width = Math.max(...names.map(({ length }) => length))
    const text = `${name.padEnd(width)} |`
    return `${colour ? styled(colours[names.indexOf(name) % colours.length], text) : text} `
  }
}
