import { type HostSight, oneLine, problemOf, problemWord, type Snapshot } from "../fleet/FleetText.ts"
import { type Fragment, type Html, html, nothing } from "../html/Html.ts"
import type { Tone } from "../html/Icons.ts"
import type { ProjectRow } from "../status/ProjectsData.ts"
import { reasonBeside, stateWord } from "../status/WorkerSentence.ts"
import { printable } from "../text/Printable.ts"
import { toneOf, worstTone } from "./StateView.ts"

/** The known facts of another machine; none until its first answer. */
export type SeenHost = HostSight<Snapshot | { readonly _tag: "Asking" }>

interface Words {
  readonly tone: Tone
  readonly text: string
}

const rowsOf = ({ seen }: SeenHost): ReadonlyArray<ProjectRow> =>
  "projects" in seen ? seen.projects.projects : []

/** The worst state of a machine, and how many workers are in each. */
const wordsOf = (host: SeenHost): Words => {
  const problem = problemOf(host.seen)
  if (problem !== undefined) return { tone: "bad", text: problemWord(problem) }
  if ("_tag" in host.seen) return { tone: "off", text: "asking" }
  const states = rowsOf(host).map(stateWord)
  const counts = [...new Set(states)].map(
    (state) => `${states.filter((other) => other === state).length} ${printable(state, 40)}`
  )
  return { tone: worstTone(states), text: counts.join(", ") }
}

const summary = (host: SeenHost): Html => {
  const { text, tone } = wordsOf(host)
  return html`<span class="dot ${tone}"></span><b>${printable(host.name, 64)}</b> <span class="muted">${text}</span>`
}

const project = (row: ProjectRow): Html => {
  const [state, reason] = [stateWord(row), reasonBeside(row)]
  return html`<li><span class="dot ${toneOf(state)}"></span><b>${printable(row.name, 64)}</b> ${printable(state, 40)}${
    reason !== undefined && html`<span class="muted">: ${oneLine(reason).slice(0, 300)}</span>`
  }</li>`
}

const details = (host: SeenHost): Html => {
  const problem = problemOf(host.seen)
  return html`${problem !== undefined && html`<p>${oneLine(problem.reason)}</p>`}${
    rowsOf(host).length > 0 && html`<ul>${rowsOf(host).map(project)}</ul>`
  }<p class="muted">Its panel: <code>autopilotd gui --host ${printable(host.name, 64)}</code></p>`
}

/**
 * The machines of hosts.toml, each with its worst state; one that is opened shows its projects. Pieces of their own, so that
 * an opened one stays open.
 */
export const hostsPieces = (hosts: ReadonlyArray<SeenHost>): ReadonlyArray<Fragment> => {
  const pieces = hosts.map((host, at): readonly [Fragment, Fragment] => [
    { id: `host-${at}`, content: summary(host) },
    { id: `host-projects-${at}`, content: details(host) }
  ])
  const whole = pieces.map(
    ([head, body]) =>
      html`<details class="card host"><summary id="${head.id}">${head.content}</summary><div id="${body.id}">${body.content}</div></details>`
  )
  return [
    {
      id: "hosts",
      key: hosts.map(({ name }) => name).join(" "),
      content: hosts.length === 0 ? nothing : html`<h2 class="sr">Other machines</h2>${whole}`
    },
    ...pieces.flat()
  ]
}
