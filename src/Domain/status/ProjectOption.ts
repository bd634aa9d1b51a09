import type { StatusReply } from "./StatusData.ts"

/** ` --project shop`, where the daemon has several projects; else empty. */
export const projectOption = ({ project, projects = {} }: StatusReply): string => {
  const count = Object.values(projects).reduce((sum, one) => sum + one, 0)
  return project !== undefined && count > 1 ? ` --project ${project}` : ""
}

const commands = /\bautopilotd (?:start-worker|stop-worker|restart-worker|budget reset|logs)\b(?! --project)/g

/** A text about one project, whose commands name it: without that they act on the selected one. */
export const withProject = (text: string, option: string): string =>
  option === "" ? text : text.replace(commands, (command) => command + option)
