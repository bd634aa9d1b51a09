import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { problemLine } from "../../Domain/config/ChangesText.ts"
import { withNotes, withoutNotes } from "../../Domain/config/EditNotes.ts"
import { type Draft, Editor } from "../../Layers/config/Editor.ts"
import { Caller } from "../../Layers/daemon/Caller.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { sayDone } from "../Answer.ts"
import { newSettings } from "./Init.ts"
import { type OpenSettings, openSettings } from "./OpenSettings.ts"
import { sayWritten, type Written } from "./WrittenSettings.ts"

/** The user left a refused text unchanged, or there is none to correct it. */
class LeftRefused extends Data.TaggedError("LeftRefused")<{ readonly problems: ReadonlyArray<string> }> {
  override get message(): string {
    return [...this.problems, "Nothing was changed."].join("\n")
  }
}

/** An error after the user has typed. The text is kept. */
class EditKept extends Data.TaggedError("EditKept")<{ readonly why: string; readonly path: string }> {
  override get message(): string {
    return `${this.why}\nWhat you wrote is kept in ${this.path}.`
  }
}

const introduction =
  "These settings were refused, and nothing was changed. Lines like this one are taken out again."

/** How often an editor is opened where no user sits at it: a script may make the same mistake for ever. */
const mostUnattended = 3

/** Opens the editor until the text is accepted; undefined when the user changed nothing of what was `offered`. */
const edit = Effect.fnUntraced(function* (
  open: OpenSettings,
  draft: Draft,
  offered: string,
  isAttended: boolean
) {
  let before = offered
  let problems: ReadonlyArray<string> = []
  for (let refused = 1; ; refused++) {
    const notes = problems.length === 0 ? [] : [introduction, ...problems]
    const text = withoutNotes(yield* draft.edit(withNotes(before, notes)))
    if (text === offered || text === open.current.text) return undefined
    if (text === before) return yield* new LeftRefused({ problems })
    const result = yield* Effect.either(open.set(text, { dryRun: false }))
    if (Either.isRight(result)) return { open, written: result.right } satisfies Written
    if (result.left._tag !== "SettingsError") return yield* Effect.fail(result.left)
    problems = result.left.problems.map((problem) => problemLine(problem, undefined))
    if (!isAttended && refused === mostUnattended) return yield* new LeftRefused({ problems })
    before = text
  }
})

/** Keeps the draft if the user has typed anything, and returns its path. */
const keepTyped = Effect.fnUntraced(function* (draft: Draft, offered: string) {
  const held = yield* Effect.either(draft.text)
  if (Either.isLeft(held)) {
    if (held.left.absent) return undefined
    // A draft that is not UTF-8 may be the user's text in another encoding.
    yield* draft.keep()
    return draft.path
  }
  const text = withoutNotes(held.right)
  if (text === offered) return undefined
  yield* draft.keep(text)
  return draft.path
})

/** `autopilotd config edit`: the settings file in an editor, checked before it is written. */
export const configEdit = Effect.fnUntraced(function* (invocation: Invocation) {
  const { err } = yield* CommandOutput
  const open = yield* openSettings(invocation)
  const { draft: opened, isAttended } = yield* Editor
  const draft = yield* opened
  const { cwd } = yield* Caller
  const isNew = open.current.text === ""
  const offered = isNew ? (yield* newSettings(cwd)).text : open.current.text
  const kept = keepTyped(draft, offered)
  const written = yield* edit(open, draft, offered, isAttended).pipe(
    Effect.catchAll((error) =>
      Effect.flatMap(kept, (path) =>
        Effect.fail(path === undefined ? error : new EditKept({ why: error.message, path }))
      )
    ),
    Effect.onInterrupt(() =>
      kept.pipe(
        Effect.flatMap((path) =>
          path === undefined ? Effect.void : err(`\nWhat you wrote is kept in ${path}.\n`)
        ),
        Effect.catchAll(({ message }) => err(`\n${message}\n`))
      )
    )
  )
  if (written !== undefined) return yield* sayWritten(invocation, written)
  const message = isNew
    ? "Nothing was changed. autopilotd init writes the settings that were shown, as they stand"
    : "Nothing was changed"
  yield* sayDone(invocation, { message }, `${message}.\n`)
}, Effect.scoped)
