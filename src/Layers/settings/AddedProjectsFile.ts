import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import { type AddedProjects, addedIn, addedText } from "../../Domain/settings/SettingsProjects.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { replaceFile } from "../files/AtomicFile.ts"
import { messageOf } from "../files/SystemError.ts"
import { readTextFile } from "../files/TextFile.ts"

/**
 * The projects that `autopilotd run` has added, in a file for the daemon that follows one that was killed. A file that
 * cannot be read or written costs only those projects, and only then: it is a warning in the log.
 */
export const addedProjectsFile = Effect.map(AutopilotHome, ({ addedFile }) => ({
  read: readTextFile(addedFile).pipe(
    Effect.flatMap(({ text }) =>
      Effect.mapError(Effect.fromNullable(addedIn(text)), () => ({
        absent: false,
        message: `${addedFile} is damaged`
      }))
    ),
    Effect.catchAll(({ absent, message }) => {
      const none: AddedProjects = new Map()
      return absent
        ? Effect.succeed(none)
        : Effect.as(Effect.logWarning(`The projects of autopilotd run are lost: ${message}`), none)
    })
  ),
  write: (projects: AddedProjects) =>
    Effect.tryPromise({
      try: () =>
        projects.size === 0 ? fs.rm(addedFile, { force: true }) : replaceFile(addedFile, addedText(projects)),
      catch: messageOf
    }).pipe(
      Effect.catchAll((reason) =>
        Effect.logWarning(`The projects of autopilotd run are not kept for the next daemon: ${reason}`)
      )
    )
}))
