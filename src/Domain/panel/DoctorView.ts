import { type Finding, summary } from "../doctor/Finding.ts"
import { type Fragment, type Html, html, nothing } from "../html/Html.ts"
import { type Icon, icon } from "../html/Icons.ts"
import { counted } from "../text/Amounts.ts"
import { printable } from "../text/Printable.ts"

/** The button in the header, and the drawer that it opens. What is in it is asked for when it opens. */
export const doctorButton: Html = html`<button class="btn ghost sm doctor-open" type="button" popovertarget="doctor" aria-haspopup="dialog" hx-get="/ui/doctor/findings" hx-swap="none" hx-sync="this:drop" hx-request='{"timeout":30000}'>${icon("doctor")}<span class="word">Doctor</span><span id="doctor-count"></span></button>
<div class="sheet" id="doctor" popover role="dialog" aria-labelledby="doctor-title"><section class="card"><header><h2 id="doctor-title">Doctor</h2>
<button class="btn ghost sm push" type="button" popovertarget="doctor" popovertargetaction="hide" aria-label="Close" autofocus>${icon("close")}</button></header>
<div class="drawer-in scroll" id="doctor-findings" role="status" tabindex="0" aria-labelledby="doctor-title"><p class="muted">Checking what goes wrong in practice ...</p></div>
<div class="foot" id="doctor-preferences"></div></section></div>`

type Level = Finding["level"]

const looks: Readonly<Record<Level, { readonly tone: string; readonly icon: Icon; readonly word: string }>> =
  {
    error: { tone: "bad", icon: "alert", word: "Error" },
    warning: { tone: "warn", icon: "wait", word: "Warning" },
    ok: { tone: "ok", icon: "check", word: "OK" }
  }

const maxLength = 1000

const findingItem = ({ about, cure, level, text }: Finding): Html => {
  const { icon: sign, tone, word } = looks[level]
  return html`<li class="finding ${tone}">${icon(sign)}<div><h3><span class="sr">${word}: </span>${printable(about, 80)}</h3><p>${printable(text, maxLength)}</p>${
    cure !== undefined && html`<p class="cure"><b>What to do</b> ${printable(cure, maxLength)}</p>`
  }</div></li>`
}

const listOf = (findings: ReadonlyArray<Finding>): Html =>
  html`<ul class="findings">${findings.map(findingItem)}</ul>`

/** The findings that need a person come first, errors before warnings; what is well is folded up below. */
const findingsView = (findings: ReadonlyArray<Finding>): Html => {
  const of = (level: Level) => findings.filter((finding) => finding.level === level)
  const wrong = [...of("error"), ...of("warning")]
  const well = of("ok")
  return html`<p class="summary">${summary(findings)}</p>${wrong.length > 0 && listOf(wrong)}${
    well.length > 0 &&
    html`<details${wrong.length === 0 && html` open`}><summary>${counted(well.length, "check")} passed</summary>${listOf(well)}</details>`
  }`
}

const countView = (findings: ReadonlyArray<Finding>): Html => {
  const errors = findings.filter(({ level }) => level === "error").length
  const wrong = findings.filter(({ level }) => level !== "ok").length
  return wrong === 0
    ? nothing
    : html`<span class="tag ${errors > 0 ? "bad" : "warn"}">${wrong}<span class="sr"> ${wrong === 1 ? "problem" : "problems"}</span></span>`
}

/** The pieces of the drawer. */
export const doctorAnswer = (findings: ReadonlyArray<Finding>): ReadonlyArray<Fragment> => [
  { id: "doctor-findings", content: findingsView(findings) },
  { id: "doctor-count", content: countView(findings) }
]

/** Doctor itself did not run. */
export const doctorFailure = (reason: string): ReadonlyArray<Fragment> => [
  {
    id: "doctor-findings",
    content: listOf([
      { about: "Doctor", level: "error", text: reason, cure: "Run in a terminal: autopilotd doctor" }
    ])
  }
]

/** What the panel remembers, in the foot of the drawer. `problem` says why it cannot be changed, or was not. */
export const preferencesView = ({
  isAutoStart,
  problem
}: {
  readonly isAutoStart: boolean
  readonly problem?: string
}): Fragment => ({
  id: "doctor-preferences",
  content: html`<label class="switch"><input type="checkbox" id="auto-start" name="on" value="yes" hx-post="/ui/doctor/auto-start" hx-swap="none"${isAutoStart && html` checked`}><span>Start the daemon when the panel opens</span></label>${
    problem !== undefined && html`<p class="t-bad">${printable(problem, maxLength)}</p>`
  }`
})
