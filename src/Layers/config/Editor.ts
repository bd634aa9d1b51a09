import { spawn } from "node:child_process"
import * as fs from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { printable } from "../../Domain/text/Printable.ts"
import { Caller } from "../daemon/Caller.ts"
import { messageOf } from "../files/SystemError.ts"
import { readTextFile, type UnreadableFile } from "../files/TextFile.ts"

/** The editor was not run, or did not end well. */
export class EditorFailed extends Data.TaggedError("EditorFailed")<{
  /** As it was asked for. */
  readonly editor: string
  /** Continues a sentence that begins with the editor. */
  readonly problem: string
}> {
  override get message(): string {
    return `The editor ${printable(this.editor, 200)} ${this.problem}. Nothing was changed.`
  }
}

/** The copy for the editor could not be written. */
export class DraftNotWritten extends Data.TaggedError("DraftNotWritten")<{
  readonly path: string
  readonly reason: string
}> {
  override get message(): string {
    return `${this.path}, the copy for the editor, could not be written: ${this.reason}. Nothing was changed.`
  }
}

/** A private copy for a person to edit. */
export interface Draft {
  /** Its name ends like a settings file's, by which editors know the language. */
  readonly path: string
  /** Puts the text into the file, gives the terminal to the editor, and returns what the file holds when it ends. */
  readonly edit: (text: string) => Effect.Effect<string, EditorFailed | DraftNotWritten | UnreadableFile>
  /** What the file holds now. */
  readonly text: Effect.Effect<string, UnreadableFile>
  /** Leaves the file where it is when the scope closes; with a text, it holds that one from now on. */
  readonly keep: (text?: string) => Effect.Effect<void, DraftNotWritten>
}

/** The editor that the caller has chosen. */
export class Editor extends Context.Tag("Editor")<
  Editor,
  {
    /** A copy that is removed when the scope closes, unless it is kept. */
    readonly draft: Effect.Effect<Draft, DraftNotWritten, Scope.Scope>
  }
>() {}

const attempt = <A>(path: string, act: () => Promise<A>): Effect.Effect<A, DraftNotWritten> =>
  Effect.tryPromise({
    try: act,
    catch: (cause) => new DraftNotWritten({ path, reason: messageOf(cause) })
  })

/** What a shell answers when there is no such program, or it may not be run. */
const cannotRun: ReadonlySet<number | null> = new Set([126, 127])

/**
 * Runs the editor. The words of VISUAL and EDITOR are the shell's to take apart (`code --wait`). An interruption waits
 * for its end: Ctrl-C in a terminal is for the editor, which owns it.
 */
const run = (editor: string, path: string): Effect.Effect<void, EditorFailed> =>
  Effect.uninterruptible(
    Effect.async<void, EditorFailed>((resume) => {
      const fail = (problem: string) => resume(new EditorFailed({ editor, problem }))
      const child = spawn("/bin/sh", ["-c", `${editor} "$@"`, editor, path], {
        // The answer of a command that is piped is read by a program: what the editor shows is not a part of it.
        stdio: ["inherit", process.stdout.isTTY ? "inherit" : 2, "inherit"]
      })
      child.once("error", (cause) => fail(`could not be run: ${cause.message}`))
      child.once("exit", (code, signal) => {
        if (code === 0) resume(Effect.void)
        else if (signal !== null) fail(`was ended by ${signal}`)
        else if (cannotRun.has(code)) fail("could not be run: set VISUAL or EDITOR to one that can")
        else fail(`ended with exit code ${code}`)
      })
    })
  )

export const layer: Layer.Layer<Editor, never, Caller> = Layer.effect(
  Editor,
  Effect.map(Caller, ({ environment }) => {
    const editor =
      [environment["VISUAL"], environment["EDITOR"]].find((name) => (name ?? "").trim() !== "") ?? "vi"
    return {
      draft: Effect.gen(function* () {
        let isKept = false
        const folder = yield* Effect.acquireRelease(
          attempt(tmpdir(), () => fs.mkdtemp(join(tmpdir(), "autopilotd-"))),
          (path) =>
            Effect.promise(async () => {
              // What cannot be removed is a private file in the folder for temporary ones: it harms nobody.
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
