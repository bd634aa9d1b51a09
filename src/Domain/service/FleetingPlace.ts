const places: ReadonlyArray<readonly [pattern: RegExp, why: string]> = [
  [/\/_npx\//, "npx removes what it has fetched"],
  [/^\/(tmp|var\/tmp|dev\/shm)\//, "folders for temporary files are emptied"],
  [/^\/run\//, "/run is emptied when you log out or the machine starts"]
]

/** Why a file will not stay where it is, as a sentence without its full stop; undefined where nothing speaks for that. */
export const whyFleeting = (path: string): string | undefined =>
  places.find(([pattern]) => pattern.test(path))?.[1]
