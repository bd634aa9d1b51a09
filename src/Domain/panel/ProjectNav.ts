import { type Html, html, nothing } from "../html/Html.ts"
import { stateWord } from "../status/WorkerSentence.ts"
import { printable } from "../text/Printable.ts"
import type { DaemonSight } from "./DaemonSight.ts"
import { toneOf } from "./StateView.ts"

/** What the page shows: one project, the selected one, or all of them. */
type ShownProject = { readonly name: string | undefined } | "all"

/**
 * The projects in the header, each with its state. The page of one project switches between them without loading anew
 * (`data-view`).
 */
export const projectNav = (sight: DaemonSight, shown: ShownProject): Html => {
  if (sight._tag !== "Running") return nothing
  const { projects, selected } = sight.projects
  const current = shown === "all" ? undefined : (shown.name ?? selected)
  const links = projects.map(({ name, ...row }) => {
    const state = stateWord(row)
    const text = printable(name, 64)
    return html`<a href="/?project=${encodeURIComponent(name)}"${shown !== "all" && html` data-view`} id="project-${text}"${name === current && html` aria-current="page"`}><span class="dot ${toneOf(state)}"></span>${text}<span class="sr">, ${printable(state, 40)}</span></a>`
  })
  const all =
    projects.length > 1 &&
    html`<a class="to-all" href="/all" id="to-all"${shown === "all" && html` aria-current="page"`}>All ${projects.length}</a>`
  return html`${links}${all}`
}
