import type { ProjectName } from "../Project.ts"

/** A worker that is stopped because it needs a login. */
export interface LoginStop {
  readonly project: ProjectName
  /** The time of the stop, in milliseconds since 1970. */
  readonly atMs: number
  /** The files of its login; `changedMs` is undefined for a file that is not there. */
  readonly files: ReadonlyArray<{ readonly path: string; readonly changedMs: number | undefined }>
}

/**
 * The projects whose login has changed after all stops that it has caused: what changed before has been tried. A file
 * that is being tried by another project says nothing, because an agent that fails may write it too.
 */
export const changedLogins = (
  stops: ReadonlyArray<LoginStop>,
  tried: ReadonlySet<string>
): ReadonlyArray<{ readonly project: ProjectName; readonly path: string }> => {
  const stopMs = new Map<string, number>()
  for (const { atMs, files } of stops)
    for (const { path } of files) stopMs.set(path, Math.max(atMs, stopMs.get(path) ?? 0))
  return stops.flatMap(({ files, project }) => {
    const changed = files.find(
      ({ changedMs, path }) =>
        changedMs !== undefined && changedMs > (stopMs.get(path) ?? 0) && !tried.has(path)
    )
    return changed === undefined ? [] : [{ project, path: changed.path }]
  })
}
