import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ProjectName } from "../../Domain/Project.ts"
import type { LogPosition } from "../../Domain/panel/LogChoice.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { errorCode } from "../files/SystemError.ts"
import { readingLog } from "../logs/LogFiles.ts"
import { workerLogIn } from "../logs/LogSources.ts"
import { bytesOf, lineAt, withLog } from "./LogBlocks.ts"

/** Changes when the log grows or rotates. Costs one system call. */
export const logSign = (project: ProjectName) =>
  Effect.flatMap(AutopilotHome, ({ logDir }) => {
    const path = workerLogIn(logDir, project)
    return readingLog(path, () =>
      fs.stat(path).then(
        ({ ino, size }) => `${ino} ${size}`,
        (cause) => {
          if (errorCode(cause) !== "ENOENT") throw cause
          return ""
        }
      )
    )
  })

/** The line at a position as it is stored; undefined when its file is deleted. */
export const rawLine = (project: ProjectName, position: LogPosition) =>
  Effect.flatMap(AutopilotHome, ({ logDir }) => {
    const path = workerLogIn(logDir, project)
    return readingLog(path, () => withLog(path, (log) => lineAt(log, position)))
  })

/** The bytes of the whole log, the oldest first. A download that fails in its midst ends without its end. */
export const wholeLog = (project: ProjectName) =>
  Stream.unwrap(
    Effect.map(AutopilotHome, ({ logDir }) =>
      Stream.orDie(Stream.fromAsyncIterable(bytesOf(workerLogIn(logDir, project)), (cause) => cause))
    )
  )
