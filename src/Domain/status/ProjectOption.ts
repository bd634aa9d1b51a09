import type { StatusReply } from "./StatusData.ts"

/** The project of a status, where the daemon has several. */
export const oneOfSeveral = ({ project, projects = {} }: StatusReply): string | undefined => {
  const count = Object.values(projects).reduce((sum, one) => sum + one, 0)
  return count > 1 ? project : undefined
}

/** ` --project shop`, where the daemon has several projects; else empty. */
export const projectOption = (status: StatusReply): string => {
  const project = oneOfSeveral(status)
  return project === undefined ? "" : ` --project ${project}`
}

const commands = /\bautopilotd (?:start-worker|stop-worker|restart-worker|budget reset|logs)\b(?! --project)/g

/** A text about one project, whose commands name it: without that they act on the selected one. */
export const withProject = (text: string, option: string): string =>
  option === "" ? text : text.replace(commands, (command) => command + option)
