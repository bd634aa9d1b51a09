import { constants } from "node:fs"
import * as fs from "node:fs/promises"
import { resolve } from "node:path"
import * as Effect from "effect/Effect"
import { printable } from "../../Domain/text/Printable.ts"
import type { Caller } from "../daemon/Caller.ts"
import { whyNotWritten } from "../files/SystemError.ts"

/** The file that says to an engine such as Kubernetes why workers fail and how the daemon ended. */
export interface TerminationLogFile {
  /** Absolute. */
  readonly path: string
  /** A file that a user names is created. */
  readonly isNamed: boolean
}

/** Kubernetes mounts this file into each container, and sets the variable in it. */
const ofKubernetes = { path: "/dev/termination-log", variable: "KUBERNETES_SERVICE_HOST" }

/** The file that the command line names, or that of Kubernetes in one of its containers. */
export const terminationLogOf = (
  named: string | undefined,
  { cwd, environment }: (typeof Caller)["Service"]
): TerminationLogFile | undefined => {
  if (named !== undefined) return { path: resolve(cwd, named), isNamed: true }
  return environment[ofKubernetes.variable] ? { path: ofKubernetes.path, isNamed: false } : undefined
}

/** The exit of the daemon does not wait for a disk that hangs. */
const patience = "3 seconds"

/** In place, because that of Kubernetes is a mount, over which nothing can be renamed. A FIFO without a reader is refused. */
const replaceText = async ({ isNamed, path }: TerminationLogFile, text: string): Promise<void> => {
  const { O_CREAT, O_NONBLOCK, O_TRUNC, O_WRONLY } = constants
  const file = await fs.open(path, O_WRONLY | O_TRUNC | O_NONBLOCK | (isNamed ? O_CREAT : 0), 0o600)
  try {
    await file.writeFile(text)
  } finally {
    await file.close()
  }
}

/**
 * Makes the writer that replaces the text of the file. It fails with a sentence: nothing depends on the file. A disk that
 * does not answer keeps a thread of Node, so no further text is written to it before it answers.
 */
export const writerOf = (file: TerminationLogFile): ((text: string) => Effect.Effect<void, string>) => {
  const name = `The termination log ${printable(file.path, 400)}`
  const silent = `${name} was not written: the disk does not answer`
  let isWriting = false
  const replace = async (text: string) => {
    isWriting = true
    try {
      await replaceText(file, text)
    } finally {
      isWriting = false
    }
  }
  return (text) =>
    Effect.suspend(() =>
      isWriting
        ? Effect.fail(silent)
        : Effect.tryPromise({ try: () => replace(text), catch: (cause) => `${name} ${whyNotWritten(cause)}` })
    ).pipe(Effect.timeoutFail({ duration: patience, onTimeout: () => silent }))
}
