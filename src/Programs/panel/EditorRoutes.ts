import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { ReloadData } from "../../Domain/config/SettingsData.ts"
import { commandQuestion } from "../../Domain/panel/CommandQuestion.ts"
import {
  type EditorSight,
  type EditorVerdict,
  editable,
  editorAnswer,
  editorFailure
} from "../../Domain/panel/EditorAnswer.ts"
import { listed } from "../../Domain/text/TextLayout.ts"
import { lineBreakAt } from "../../Domain/toml/TextSpan.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { type NotWritten, type OpenSettings, openSettings } from "../config/OpenSettings.ts"
import { readerOf } from "../config/WrittenSettings.ts"
import { pieces } from "./Pieces.ts"

/** The panel edits the file of its home, as the commands without `--config` do. */
const ofHome = { options: {} }

/** More than the control socket takes: it is the one that says so. */
const maxBodyBytes = 256 * 1024

const tooLong =
  "The text is too long for the panel, which takes 256 KiB. Edit it with: autopilotd config edit --config FILE"

/** The form of the editor. */
const Draft = Schema.Struct({
  text: Schema.String,
  /** The hash of the file that the text was made from. */
  sha256: Schema.String,
  /** The hash of the text that a person has confirmed to change what runs. */
  confirmed: Schema.optional(Schema.String)
})

const drafted = HttpServerRequest.schemaBodyUrlParams(Draft).pipe(
  HttpServerRequest.withMaxBodySize(Option.some(maxBodyBytes)),
  Effect.mapError(() => ({ message: tooLong }))
)

const failed = (error: Exclude<NotWritten, { readonly _tag: "SettingsError" }>): EditorVerdict => ({
  _tag: "Failed",
  reason: error.message
})

/** Checks a text as if it were saved over the present file. */
const checked = (open: OpenSettings, text: string): Effect.Effect<EditorVerdict> =>
  editable(text) === editable(open.current.text)
    ? Effect.succeed({ _tag: "Stored" })
    : open.set(text, { dryRun: true }).pipe(
        Effect.flatMap((changes) =>
          Effect.map(
            readerOf(ofHome, open),
            (reader): EditorVerdict => ({ _tag: "Accepted", changes, reader, sha256: changes.sha256 })
          )
        ),
        Effect.catchAll((error) =>
          Effect.succeed<EditorVerdict>(
            error._tag === "SettingsError" ? { _tag: "Refused", problems: error.problems } : failed(error)
          )
        )
      )

/** The text in the editor beside the file, and the way to write it. */
const look = (draft: typeof Draft.Type) =>
  Effect.gen(function* () {
    const open = yield* openSettings(ofHome)
    const { current } = open
    // A text field has only line feeds.
    const text = editable(draft.text).replaceAll("\n", lineBreakAt(current.text, 0))
    const verdict = yield* checked(open, text)
    const isStale = verdict._tag !== "Stored" && draft.sha256 !== current.sha256
    return { open, sight: { stored: current, text, isStale, verdict } satisfies EditorSight }
  })

const appliedBy = (data: ReloadData): EditorVerdict => {
  const { awaiting_restart: awaiting, changes } = data
  const never = changes.filter(({ applies }) => applies === "daemon-restart").map(({ key }) => key)
  return {
    _tag: "Saved",
    lines: [
      "Saved and applied.",
      ...(awaiting.length === 0
        ? []
        : [
            `${listed(awaiting)} ${awaiting.length === 1 ? "goes" : "go"} on as started, until the next start.`
          ]),
      ...(never.length === 0
        ? []
        : [`Not in force before the daemon is stopped and started: ${listed(never)}.`])
    ],
    awaiting,
    isInForce: awaiting.length + never.length === 0
  }
}

const notApplied = (message: string): EditorVerdict => ({
  _tag: "Saved",
  lines: ["Saved, but not in force: the daemon goes on with the settings that it has.", message],
  awaiting: [],
  isInForce: false
})

/** Reading settings from a busy disk takes its time. */
const reloadTime = { firstByteMs: 30_000, wholeMs: 30_000 } as const

/** Brings what was written into force. Without a daemon the next start does. */
const apply = ({ through }: OpenSettings) =>
  through === "file"
    ? Effect.succeed<EditorVerdict>({
        _tag: "Saved",
        lines: ["Saved. No daemon is running: its next start takes it over."],
        awaiting: [],
        isInForce: true
      })
    : Effect.flatMap(ControlClient, ({ request }) => request({ type: "ReloadConfig" }, reloadTime)).pipe(
        Effect.map(({ data, message, success }) =>
          success && data !== undefined && !("problems" in data) ? appliedBy(data) : notApplied(message)
        ),
        Effect.catchAll(({ message }) => Effect.succeed(notApplied(message)))
      )

/** Writes a text that is valid, made from the present file, and confirmed where it changes what runs. */
const save = (draft: typeof Draft.Type) =>
  Effect.gen(function* () {
    const { open, sight } = yield* look(draft)
    const { isStale, text, verdict } = sight
    if (verdict._tag !== "Accepted" || isStale) return sight
    if (commandQuestion(verdict.changes) !== undefined && draft.confirmed !== verdict.sha256) return sight
    const written = yield* Effect.either(open.set(text, { dryRun: false }))
    if (Either.isLeft(written)) {
      const error = written.left
      return error._tag === "SettingsError"
        ? { ...sight, verdict: { _tag: "Refused", problems: error.problems } as const }
        : { ...sight, isStale: error._tag === "StaleSettings", verdict: failed(error) }
    }
    const stored = { ...open.current, found: true, text, sha256: written.right.sha256 }
    return { ...sight, stored, verdict: yield* apply(open) }
  })

const answered = <E extends { readonly message: string }, R>(sight: Effect.Effect<EditorSight, E, R>) =>
  Effect.match(sight, {
    onSuccess: (found) => pieces(editorAnswer(found)),
    onFailure: ({ message }) => pieces(editorFailure(message))
  })

/** The editor asks here for the stored file, for a check of its text, and for a save. */
export const editorRoutes = HttpRouter.empty.pipe(
  HttpRouter.get(
    "/stored",
    answered(
      Effect.map(
        openSettings(ofHome),
        ({ current }): EditorSight => ({
          stored: current,
          text: current.text,
          isStale: false,
          verdict: { _tag: "Stored" }
        })
      )
    )
  ),
  HttpRouter.post("/check", answered(Effect.map(Effect.flatMap(drafted, look), ({ sight }) => sight))),
  HttpRouter.post("/save", answered(Effect.flatMap(drafted, save)))
)
