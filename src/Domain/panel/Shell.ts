import * as Schema from "effect/Schema"
import { chartCard } from "../chart/ChartView.ts"
import { beatsStrip } from "../chart/HealthStrip.ts"
import { type Html, html } from "../html/Html.ts"
import { brand, icon } from "../html/Icons.ts"
import { doctorButton } from "./DoctorView.ts"
import { editorCard } from "./EditorView.ts"
import { historyCard } from "./HistoryView.ts"
import { logCard } from "./LogView.ts"
import { connectingView } from "./StateView.ts"

/** The settings of htmx: no eval, no inline styles, no scripts out of answers, and no request without an end. */
const htmxConfig = JSON.stringify({
  allowEval: false,
  allowScriptTags: false,
  includeIndicatorStyles: false,
  historyCacheSize: 0,
  timeout: 10_000
})

/** The full page of a project, the small card of the corner, and all projects side by side. */
export const PageKind = Schema.Literal("full", "card", "all")
export type PageKind = typeof PageKind.Type

interface Page {
  readonly title: string
  readonly kind: PageKind
  readonly body: Html
  /** The address of a static file. */
  readonly asset: (name: string) => string
}

const document = ({ asset, body, kind, title }: Page): Html => html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="htmx-config" content="${htmxConfig}">
<title>${title}</title><link rel="icon" href="data:,"><link rel="stylesheet" href="${asset("style.css")}">
<script defer src="${asset("htmx.js")}"></script><script defer src="${asset("ws.js")}"></script><script defer src="${asset("app.js")}"></script>
</head><body data-page="${kind}" data-conn="connecting">${body}
<div id="live" hx-ext="ws" data-ws="/ws?page=${kind}"></div>
<div id="poller" hx-get="/ui/page?page=${kind}" hx-trigger="autopilotd:poll" hx-swap="none" hidden></div>
<div id="page-state" hidden></div><div id="alive" hidden></div>
<p id="spoken-state" class="sr" role="status" aria-live="polite"></p>
<div id="toasts" class="toasts" role="alert"></div><template id="toast"><div class="toast"><p></p><button class="btn ghost sm" type="button" aria-label="Close this message">${icon("close")}</button></div></template>
<dialog id="confirm" aria-labelledby="confirm-question"><h2 id="confirm-question"></h2><p id="confirm-consequence"></p>
<form method="dialog" class="controls"><button class="btn" value="no" id="confirm-no" autofocus>Keep running</button><button class="btn danger solid" value="yes" id="confirm-yes">Go on</button></form></dialog>
</body></html>
`

const connection = html`<span class="conn" id="conn" data-state="connecting" role="status" aria-live="polite"><span class="dot" aria-hidden="true"></span><span id="conn-word"></span></span>`

/** Says why the page is not live, in a sentence that the browser chooses. */
const connectionProblem = html`<p id="conn-problem" class="alert lost c12" hidden data-silent="The panel has sent nothing for 10 seconds. Connecting again." data-lost="The connection to the panel is lost. Trying again." data-gone="The panel cannot be reached. Is “autopilotd gui” running? Trying again." data-busy="The panel does not answer. Trying again." data-failed="The panel fails. Trying again. The status of its answer:" data-denied="This link is no longer valid. Run “autopilotd gui” again for a new one." data-polling="No live updates: the page asks every 3 seconds."></p>`

const header = html`<a class="skip" href="#main">Skip to content</a>
<header class="top"><div class="top-in">${connection}<a class="brand" href="/">${brand}autopilotd</a>
<nav class="projects" id="projects" aria-label="Projects"></nav>${doctorButton}</div></header>`

/** The other machines of hosts.toml. Without one it takes no room. */
const hosts = html`<section class="hosts c12" id="hosts" aria-label="Other machines"></section>`

const controls = html`<div class="controls" id="controls" role="group" aria-label="Controls"></div>`

/** The full page. It holds no data: everything comes over the connection, with the token. */
export const fullPage = (asset: Page["asset"]): Html =>
  document({
    asset,
    kind: "full",
    title: "autopilotd",
    body: html`${header}
<main id="main">${connectionProblem}${hosts}<div id="banner" class="c12"></div>
<section class="card hero c12" aria-labelledby="state-title"><div class="hero-in livedata" id="daemon-status-content">${connectingView}</div>
${controls}${beatsStrip}</section>
${chartCard}${historyCard}${logCard}${editorCard}
</main>`
  })

/** All projects side by side. */
export const allPage = (asset: Page["asset"]): Html =>
  document({
    asset,
    kind: "all",
    title: "All projects · autopilotd",
    body: html`${header}
<main id="main">${connectionProblem}${hosts}<div id="banner" class="c12"></div>
<div class="page-head c12"><div><h1>All projects</h1><p class="muted" id="all-state">Asking the daemon</p></div>${controls}</div>
<div class="all c12" id="all-projects"></div>
</main>`
  })

/** The small card, for a corner of another page or a small window of its own. */
export const cardPage = (asset: Page["asset"]): Html =>
  document({
    asset,
    kind: "card",
    title: "autopilotd",
    body: html`<main id="main" class="corner"><h1 class="sr">autopilotd</h1>
<section class="card mini" aria-label="Daemon"><header>${connection}<a class="btn ghost sm push" href="/" target="_top">Open</a></header>
${connectionProblem}<div class="mini-in livedata" id="daemon-status-content"><h2>Connecting</h2></div>${controls}</section>
<section class="card mini" aria-label="Agent"><div class="mini-in livedata" id="agent-content"><h2>Claude</h2></div></section>
</main>`
  })
