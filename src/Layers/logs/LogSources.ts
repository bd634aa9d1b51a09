import * as fs from "node:fs/promises"
import { join } from "node:path"
import type { ProjectName } from "../../Domain/Project.ts"
import { isProjectName } from "../../Domain/ProjectNameRules.ts"
import { errorCode } from "../files/SystemError.ts"
import type { LogSource } from "./MergedLogs.ts"
import { rotatedLogs } from "./RotatedLogs.ts"

/** A worker's log exists but cannot be read. A plain class: the quick road loads it. */
export class LogUnreadable extends Error {
  readonly _tag = "LogUnreadable"

  constructor({ path, reason }: { readonly path: string; readonly reason: string }) {
    super(`${path} cannot be read: ${reason}.`)
  }
}

/** The failure to read a log. Throws anything but a system error: that is a bug. */
export const unreadable = (path: string, cause: unknown): LogUnreadable => {
  if (!(cause instanceof Error) || errorCode(cause) === undefined) throw cause
  return new LogUnreadable({ path, reason: cause.message })
}

/** The logs that a reader wants: those of these projects or of all, and perhaps the daemon's own. */
export interface LogChoice {
  readonly projects: ReadonlyArray<ProjectName> | "all"
  readonly daemon: boolean
}

/** The log of a worker. */
export const workerLogIn = (logDir: string, project: ProjectName): string =>
  join(logDir, project, "worker.log")

/** The projects with a log, by name. */
export const loggedProjects = async (logDir: string): Promise<ReadonlyArray<ProjectName>> => {
  const names: ReadonlyArray<string> = await fs.readdir(logDir).catch(() => [])
  const found = await Promise.all(
    names
      .filter(isProjectName)
      .map(async (name) => ((await rotatedLogs(workerLogIn(logDir, name))).length > 0 ? [name] : []))
  )
  return found.flat().toSorted()
}

/** The logs of a choice, as they are now. */
export const logSources = async (
  logDir: string,
  { daemon, projects }: LogChoice
): Promise<ReadonlyArray<LogSource>> => [
  ...(projects === "all" ? await loggedProjects(logDir) : projects).map((project) => ({
    project,
    path: workerLogIn(logDir, project)
  })),
  ...(daemon ? [{ project: undefined, path: join(logDir, "autopilotd.log") }] : [])
]
