import { type Html, html } from "../html/Html.ts"
import { icon } from "../html/Icons.ts"

/** Shown in an empty file: what may stand there. */
const example = `# Nothing is set: every setting has its default. For example:

project = "shop"
working_dir = "~/code/shop"

[worker_command]
type = "Command"
argv = ["claude", "-p", "Work through TODO.md"]

[memory]
worker_limit_bytes = 8_589_934_592  # 8 GiB`

/**
 * The frame of the configuration editor, which holds no data. The text lies over its coloured copy; the server answers
 * with pieces of what stands below it. The text itself is never replaced by a piece, so that no typing is lost.
 */
export const editorCard: Html = html`<section class="card c5 config" id="config" aria-labelledby="config-title">
<header><h2 id="config-title">Configuration</h2><span class="push" id="config-state" role="status"></span></header>
<div id="config-stored" hx-get="/ui/config/stored" hx-trigger="load, again, focus from:#config-text" hx-swap="none" hidden></div>
<form id="config-form" hx-post="/ui/config/check" hx-trigger="input delay:400ms, change, again" hx-swap="none" hx-sync="this:queue last" hx-disinherit="hx-sync" autocomplete="off">
<input type="hidden" name="sha256" id="config-base"><div id="config-ask" hidden></div>
<div class="editor" id="config-box"><div class="gutter" id="config-lines" aria-hidden="true">1</div><div class="code"><pre id="config-shown" aria-hidden="true"></pre><textarea id="config-text" name="text" rows="1" spellcheck="false" autocapitalize="off" autocorrect="off" wrap="off" aria-labelledby="config-title" aria-describedby="config-verdict" placeholder="${example}"></textarea></div></div>
<div id="config-verdict"></div>
<details class="diff" id="config-changes"><summary>Differences to the stored file</summary><div id="config-diff"></div></details>
<div class="foot"><span class="mono path" id="config-path"></span>
<button class="btn sm" type="button" id="config-discard" hx-get="/ui/config/stored" hx-swap="none" data-question="Discard your changes?" data-consequence="The stored file takes the place of your text." data-keep="Keep editing" disabled>Discard</button>
<button class="btn sm primary" type="button" id="config-save" hx-post="/ui/config/save" hx-swap="none" hx-sync="this:drop" data-ask="config-confirmed" disabled>${icon("check")}Save and apply</button></div>
</form></section>`
