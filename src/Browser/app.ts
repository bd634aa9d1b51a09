import * as actions from "./actions.ts"
import * as chart from "./chart.ts"
import * as connection from "./connection.ts"
import * as doctor from "./doctor.ts"
import * as editor from "./editor.ts"
import * as log from "./log.ts"
import { onHtmx } from "./page.ts"
import * as projects from "./projects.ts"
import * as times from "./times.ts"
import { showState } from "./title.ts"

// Times are shown in the browser's zone before they enter the page, so that nothing flickers.
onHtmx<{ fragment: ParentNode }>("oobBeforeSwap", ({ fragment }) => times.localise(fragment))
onHtmx("oobAfterSwap", showState)

times.start()
actions.start()
for (const part of [projects, chart, log, editor, doctor]) part.start()
connection.start()
