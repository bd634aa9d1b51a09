import { beatsStrip, chartCard } from "./ChartView.ts"
import { doctorButton } from "./DoctorView.ts"
import { editorCard } from "./EditorView.ts"
import { historyCard } from "./HistoryView.ts"
import { type Html, html } from "./Html.ts"
import { brand, icon } from "./Icons.ts"
import { logCard } from "./LogView.ts"

/** The settings of htmx: no eval, no inline styles, no scripts out of answers, and no request without an end. */
const htmxConfig = JSON.stringify({
  allowEval: false,
  allowScriptTags: false,
  includeIndicatorStyles: false,
  historyCacheSize: 0,
  timeout: 10_000
})

interface Page {
  readonly title: string
  readonly kind: "full" | "card" | "all"
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
<div id="live" hx-ext="ws" data-ws="/ws"></div>
<div id="poller" hx-get="/ui/page" hx-trigger="autopilotd:poll" hx-swap="none" hidden></div>
<div id="page-state" hidden></div><div id="alive" hidden></div>
<p id="spoken-state" class="sr" role="status" aria-live="polite"></p>
<div id="toasts" class="toasts" role="alert"></div>
<dialog id="confirm" aria-labelledby="confirm-question"><h2 id="confirm-question"></h2><p id="confirm-consequence"></p>
<form method="dialog" class="controls"><button class="btn" value="no" id="confirm-no" autofocus>Keep running</button><button class="btn danger solid" value="yes" id="confirm-yes">Go on</button></form></dialog>
</body></html>
`

const connection = html`<span class="conn" id="conn" data-state="connecting" role="status" aria-live="polite"><span class="dot" aria-hidden="true"></span><span id="conn-word">Connecting</span></span>`

const connectionProblem = html`<p id="conn-problem" class="problem" hidden></p>`

/** The full page. It holds no data: everything comes over the connection, with the token. */
export const fullPage = (asset: Page["asset"]): Html =>
  document({
    asset,
    kind: "full",
    title: "autopilotd",
    body: html`<a class="skip" href="#main">Skip to content</a>
<header class="top"><div class="top-in">${connection}<a class="brand" href="/">${brand}autopilotd</a>
<nav class="projects" id="projects" aria-label="Projects"></nav>${doctorButton}</div></header>
<main id="main">${connectionProblem}<div id="banner" class="c12"></div>
<section class="card hero c12" aria-labelledby="state-title"><div class="hero-in livedata" id="daemon-status-content"><div class="state off"><span class="state-ic">${icon("wait")}</span><div><h1 id="state-title">Connecting</h1><p>Asking the daemon</p></div></div></div>
<div class="controls" id="controls" role="group" aria-label="Controls"></div>${beatsStrip}</section>
${chartCard}${historyCard}${logCard}${editorCard}
</main>`
  })
