import { printable } from "../text/Printable.ts"
import type { DaemonSight } from "./DaemonSight.ts"
import { type Html, html, nothing } from "./Html.ts"
import { toneOf } from "./StateView.ts"

/** The projects in the header, each with its state. The page switches between them without loading anew. */
export const projectNav = (sight: DaemonSight, shown: string | undefined): Html => {
  if (sight._tag !== "Running") return nothing
  const { projects, selected } = sight.projects
  const current = shown ?? selected
  return html`${projects.map(({ name, worker_status: state }) => {
    const text = printable(name, 64)
    return html`<a href="/?project=${encodeURIComponent(name)}" data-project="${text}" id="project-${text}"${name === current && html` aria-current="page"`}><span class="dot ${toneOf(state)}"></span>${text}<span class="sr">, ${printable(state, 40)}</span></a>`
  })}`
}
