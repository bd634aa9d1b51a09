import * as fs from "node:fs/promises"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { replaceFile } from "../files/AtomicFile.ts"
import { messageOf } from "../files/SystemError.ts"

/** The file of `autopilotd metrics --output` stays as it was. */
class MetricsNotWritten extends Data.TaggedError("MetricsNotWritten")<{
  readonly path: string
  readonly reason: string
}> {
  override get message(): string {
    return `The metrics could not be written to ${this.path}: ${this.reason}. Name a file in a folder that you may write.`
  }
}

/** A rename would also replace a link such as /dev/stdout. */
const refuseOther = async (path: string): Promise<void> => {
  const stat = await fs.lstat(path).catch(() => undefined)
  if (stat !== undefined && !stat.isFile()) throw new Error("it exists, and is not a regular file")
}

/**
 * Writes the file whole or not at all, readable for everybody, as the exporter that reads it is another user. The name of
 * its temporary file is none that node_exporter reads.
 */
export const writeMetrics = (path: string, text: string): Effect.Effect<void, MetricsNotWritten> =>
  Effect.tryPromise({
    try: async () => {
      await refuseOther(path)
      await replaceFile(path, text, { mode: 0o644 })
    },
    catch: (cause) => new MetricsNotWritten({ path, reason: messageOf(cause) })
  })
