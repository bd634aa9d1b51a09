import type { StdioOptions } from "node:child_process"
import * as fs from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { printable } from "../../Domain/text/Printable.ts"
import { Caller } from "../daemon/Caller.ts"
import { startProgram } from "../files/ProgramStart.ts"
import type { UnreadableFile } from "../files/SmallFile.ts"
import { messageOf } from "../files/SystemError.ts"
import { readTextFile } from "../files/TextFile.ts"

/** The editor did not start, or it failed. */
class EditorFailed extends Data.TaggedError("EditorFailed")<{
  /** The value of VISUAL or EDITOR. */
  readonly editor: string
  /** Continues a sentence that begins with the editor. */
  readonly problem: string
}> {
  override get message(): string {
    return `The editor ${printable(this.editor, 200)} ${this.problem}. Nothing was changed.`
  }
}

/** The copy for the editor could not be written. */
class DraftNotWritten extends Data.TaggedError("DraftNotWritten")<{
  readonly path: string
  readonly reason: string
}> {
  override get message(): string {
    return `${this.path}, the copy for the editor, could not be written: ${this.reason}. Nothing was changed.`
  }
}

/** A private copy of the settings for the user to edit. */
export interface Draft {
  /** The file name is daemon.toml, by which editors know the language. */
  readonly path: string
  /** Writes the text to the file, runs the editor in the terminal, and returns the text of the file at its end. */
  readonly edit: (text: string) => Effect.Effect<string, EditorFailed | DraftNotWritten | UnreadableFile>
  /** The present text of the file. */
  readonly text: Effect.Effect<string, UnreadableFile>
  /** Leaves the file in place when the scope closes; a given text is written to it first. */
  readonly keep: (text?: string) => Effect.Effect<void, DraftNotWritten>
}

/** The editor of the user who runs the command. */
export class Editor extends Context.Tag("Editor")<
  Editor,
  {
    /** Whether a user sits at it: standard input is a terminal. */
    readonly isAttended: boolean
    /** Creates a copy, which is removed when the scope closes unless it is kept. */
    readonly draft: Effect.Effect<Draft, DraftNotWritten, Scope.Scope>
  }
>() {}

const attempt = <A>(path: string, act: () => Promise<A>): Effect.Effect<A, DraftNotWritten> =>
  Effect.tryPromise({
    try: act,
    catch: (cause) => new DraftNotWritten({ path, reason: messageOf(cause) })
  })

/** The exit codes of a shell for a program that may not be executed or does not exist. */
const cannotRun: ReadonlySet<number | null> = new Set([126, 127])

/**
 * Runs the editor. A shell splits VISUAL and EDITOR into words (`code --wait`). An interruption waits for the editor's
 * end: it owns the terminal, so Ctrl-C is meant for it.
 */
const run = (editor: string, path: string): Effect.Effect<void, EditorFailed> =>
  Effect.gen(function* () {
    const ended = yield* Deferred.make<void, EditorFailed>()
    const failure = (problem: string) => new EditorFailed({ editor, problem })
    // A program that reads the command's output through a pipe must not get what the editor displays.
    const stdio: StdioOptions = ["inherit", process.stdout.isTTY ? "inherit" : 2, "inherit"]
    yield* startProgram("/bin/sh", ["-c", `${editor} "$@"`, editor, path], { stdio }, (child) =>
      child.once("exit", (code, signal) => {
        const problem =
          signal !== null
            ? `was killed by ${signal}`
            : cannotRun.has(code)
              ? "could not be run: set VISUAL or EDITOR to one that can"
              : `exited with code ${code}`
        Deferred.unsafeDone(ended, code === 0 ? Exit.void : Exit.fail(failure(problem)))
      })
    ).pipe(Effect.mapError(({ reason }) => failure(`could not be run: ${reason}`)))
    yield* Deferred.await(ended)
  }).pipe(Effect.uninterruptible)

export const layer: Layer.Layer<Editor, never, Caller> = Layer.effect(
  Editor,
  Effect.map(Caller, ({ environment }) => {
    const editor =
      [environment["VISUAL"], environment["EDITOR"]].find((name) => (name ?? "").trim() !== "") ?? "vi"
    return {
      isAttended: process.stdin.isTTY === true,
      draft: Effect.gen(function* () {
        let isKept = false
        const folder = yield* Effect.acquireRelease(
          attempt(tmpdir(), () => fs.mkdtemp(join(tmpdir(), "autopilotd-"))),
          (path) =>
            Effect.promise(async () => {
              // A folder that cannot be removed is private and in the folder for temporary files.
              if (!isKept) await fs.rm(path, { recursive: true, force: true }).catch(() => undefined)
            })
        )
        const path = join(folder, "daemon.toml")
        const put = (text: string) => attempt(path, () => fs.writeFile(path, text, { mode: 0o600 }))
        const text = Effect.map(readTextFile(path, "everyByte"), (file) => file.text)
        return {
          path,
          text,
          edit: (before) => put(before).pipe(Effect.zipRight(run(editor, path)), Effect.zipRight(text)),
          keep: (last) =>
            Effect.zipRight(
              Effect.sync(() => {
                isKept = true
              }),
              last === undefined ? Effect.void : put(last)
            )
        } satisfies Draft
      })
    }
  })
)
