import { changeLine, changesOfStaying, problemLine, type Reader } from "../config/ChangesText.ts"
import type { ConfigProblem, ConfigText, SettingChange, SettingsChanges } from "../config/SettingsData.ts"
import { type Fragment, type Html, type HtmlValue, html, nothing } from "../html/Html.ts"
import { icon } from "../html/Icons.ts"
import { counted } from "../text/Amounts.ts"
import { type DiffLine, lineDiff } from "../text/LineDiff.ts"
import { printable } from "../text/Printable.ts"
import { listed } from "../text/TextLayout.ts"
import { commandQuestion } from "./CommandQuestion.ts"

/** What the daemon, or the check without one, says of the text in the editor. */
export type EditorVerdict =
  /** The text is that of the file. */
  | { readonly _tag: "Stored" }
  | { readonly _tag: "Refused"; readonly problems: ReadonlyArray<ConfigProblem> }
  /** The text can be saved. `sha256` is its hash. */
  | {
      readonly _tag: "Accepted"
      readonly changes: SettingsChanges
      readonly reader: Reader
      readonly sha256: string
    }
  /** The text was written. `lines` say what follows; `awaiting` are projects whose worker goes on as it was started. */
  | {
      readonly _tag: "Saved"
      readonly lines: ReadonlyArray<string>
      readonly awaiting: ReadonlyArray<string>
      readonly isInForce: boolean
    }
  | { readonly _tag: "Failed"; readonly reason: string }

/** The text in the editor beside the file. */
export interface EditorSight {
  readonly stored: ConfigText
  readonly text: string
  /** The file has changed since the editor loaded it. */
  readonly isStale: boolean
  readonly verdict: EditorVerdict
}

const maxLength = 600

/** Longer lists end in a count of the rest. */
const maxItems = 20
const maxDiffLines = 400

const firstOf = <A>(all: ReadonlyArray<A>, most: number, noun: string, show: (one: A) => Html): HtmlValue => [
  all.slice(0, most).map(show),
  all.length > most && html`<li>and ${all.length - most} more ${noun}</li>`
]

/** The line stands before it, as a button. */
const withoutPlace = ({ key, nearest, reason }: ConfigProblem): ConfigProblem => ({
  reason,
  ...(key === undefined ? {} : { key }),
  ...(nearest === undefined ? {} : { nearest })
})

const problemItem = (problem: ConfigProblem): Html => {
  const { line } = problem
  const text = problemLine(withoutPlace(problem), undefined)
  return html`<li>${
    line !== undefined && html`<button class="line" type="button" data-line="${line}">Line ${line}</button> `
  }${printable(text, maxLength)}</li>`
}

/** Changes of one kind, under what brings them into force. */
interface Section {
  readonly heading: string
  readonly lines: ReadonlyArray<string>
}

const named = (names: ReadonlyArray<string>): string => listed(names.map((name) => printable(name, 64)))

/** An arrow that no line break divides. */
const changeText = (change: SettingChange): string => changeLine(change).replace(" -> ", " → ")

const sectionsOf = (changes: SettingsChanges, reader: Reader): ReadonlyArray<Section> => {
  const { projects_added: added, projects_removed: removed } = changes
  const staying = changesOfStaying(changes)
  const isRunning = reader !== "nobody"
  const about = (applies: string) => staying.filter((change) => change.applies === applies).map(changeText)
  const sections: ReadonlyArray<Section> = isRunning
    ? [
        { heading: "In force as soon as it is saved", lines: about("on-reload") },
        {
          heading: "At the next start of the worker, which keeps running until then",
          lines: about("worker-restart")
        },
        {
          heading: "At the next start of the daemon, unless its command line or environment sets them",
          lines: about("daemon-restart")
        }
      ].filter(({ lines }) => lines.length > 0)
    : [{ heading: "At the next start of the daemon", lines: staying.map(changeText) }]
  const projects = (names: ReadonlyArray<string>, running: string, otherwise: string) =>
    names.length === 0 ? [] : [{ heading: `${isRunning ? running : otherwise} ${named(names)}`, lines: [] }]
  return [
    ...projects(added, "Starts", "Adds"),
    ...projects(removed, "Stops and removes", "Removes"),
    ...(staying.length === 0 ? [] : sections)
  ]
}

const sectionView = ({ heading, lines }: Section): Html =>
  html`<li>${heading}${
    lines.length > 0 &&
    html`<ul>${firstOf(lines, maxItems, "changes", (line) => html`<li><code>${printable(line, maxLength)}</code></li>`)}</ul>`
  }</li>`

/** One box below the text. */
const note = (tone: "ok" | "warn" | "bad" | "info", content: Html): Html =>
  html`<div class="note ${tone}">${icon(tone === "ok" ? "check" : tone === "info" ? "wait" : "alert")}<div>${content}</div></div>`

const verdictView = (verdict: EditorVerdict): Html => {
  switch (verdict._tag) {
    case "Stored":
      return nothing
    case "Failed":
      return note("bad", html`<p>${printable(verdict.reason, maxLength)}</p>`)
    case "Refused":
      return note(
        "bad",
        html`<ul class="problems">${firstOf(verdict.problems, maxItems, "problems", problemItem)}</ul>`
      )
    case "Accepted": {
      const sections = sectionsOf(verdict.changes, verdict.reader)
      return note(
        "info",
        sections.length === 0
          ? html`<p>Valid. The settings stay as they are.</p>`
          : html`<ul class="effects">${sections.map(sectionView)}</ul>`
      )
    }
    case "Saved":
      return note(
        verdict.isInForce ? "ok" : "warn",
        html`${verdict.lines.map((line) => html`<p>${printable(line, maxLength)}</p>`)}${verdict.awaiting.map(
          (project) =>
            html`<button class="btn sm" type="button" hx-post="/api/daemon/restart-worker?project=${encodeURIComponent(project)}" hx-swap="none">${icon("restart")}Restart ${printable(project, 64)} now</button>`
        )}`
      )
  }
}

const conflict = note(
  "warn",
  html`<p><strong>The file has changed since you opened it.</strong> Your text is kept; nothing is overwritten. The differences to the stored file stand below.</p>
<p class="tools"><button class="btn sm" type="button" hx-get="/ui/config/stored" hx-swap="none" data-question="Discard your changes?" data-consequence="The stored file takes the place of your text." data-keep="Keep editing">Load the stored file</button><button class="btn sm" type="button" hx-get="/ui/config/stored?mine=1" hx-swap="none">Go on with mine</button></p>`
)

const stateTag = ({ isStale, verdict }: EditorSight): Html => {
  if (isStale) return html`<span class="tag warn">Changed on disk</span>`
  switch (verdict._tag) {
    case "Stored":
      return nothing
    case "Refused":
      return html`<span class="tag bad">${counted(verdict.problems.length, "problem")}</span>`
    case "Failed":
      return html`<span class="tag bad">Not saved</span>`
    case "Accepted":
      return html`<span class="tag warn">Unsaved changes</span>`
    case "Saved":
      return html`<span class="tag ok">Saved</span>`
  }
}

const signs = { same: " ", removed: "-", added: "+", gap: "⋯" }

const diffLine = ({ kind, text }: DiffLine): Html =>
  html`<div class="${kind}">${signs[kind]} ${printable(text, maxLength)}</div>`

/** The differences, one element a line. */
const diffView = (lines: ReadonlyArray<DiffLine>): Html =>
  lines.length === 0
    ? nothing
    : html`${lines.slice(0, maxDiffLines).map(diffLine)}${
        lines.length > maxDiffLines &&
        html`<div class="gap">⋯ and ${lines.length - maxDiffLines} more lines</div>`
      }`

/** Browsers keep only line feeds in a text field, and the parser drops a first one: the text travels as an attribute. */
export const editable = (text: string): string => text.replaceAll("\r\n", "\n")

/** What the confirmation says, and what it is for: a text that has changed since must be confirmed anew. */
const askView = ({ isStale, verdict }: EditorSight): Html => {
  const question = verdict._tag === "Accepted" && !isStale ? commandQuestion(verdict.changes) : undefined
  return question === undefined || verdict._tag !== "Accepted"
    ? nothing
    : html`<input type="hidden" id="config-confirmed" name="confirmed" value="${verdict.sha256}" data-question="${question.question}" data-consequence="${question.consequence}" data-keep="Keep editing">`
}

/** The file as the browser keeps it, to know what is unsaved. */
const storedView = ({ sha256, text }: ConfigText): Html =>
  html`<i data-text="${editable(text)}" data-sha256="${sha256}"></i>`

/** The pieces of the page that say how the text in the editor stands. */
export const editorAnswer = (sight: EditorSight): ReadonlyArray<Fragment> => {
  const { isStale, stored, text, verdict } = sight
  return [
    // A stale editor keeps the hash of what it has loaded, so that it cannot overwrite what it has not seen.
    ...(isStale ? [] : [{ id: "config-stored", content: storedView(stored) }]),
    { id: "config-state", content: stateTag(sight) },
    { id: "config-verdict", content: html`${isStale && conflict}${verdictView(verdict)}` },
    { id: "config-diff", content: diffView(lineDiff(editable(stored.text), editable(text))) },
    { id: "config-ask", content: askView(sight) },
    {
      id: "config-path",
      content: html`${printable(stored.path, 400)}${!stored.found && " (not written yet)"}`
    }
  ]
}

/** The file itself cannot be read. */
export const editorFailure = (reason: string): ReadonlyArray<Fragment> => [
  { id: "config-state", content: html`<span class="tag bad">Not read</span>` },
  { id: "config-verdict", content: verdictView({ _tag: "Failed", reason }) }
]
