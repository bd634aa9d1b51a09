import * as actions from "./actions.ts"
import * as chart from "./chart.ts"
import * as connection from "./connection.ts"
import * as doctor from "./doctor.ts"
import * as editor from "./editor.ts"
import * as focus from "./focus.ts"
import * as log from "./log.ts"
import { onHtmx } from "./page.ts"
import * as projects from "./projects.ts"
import * as times from "./times.ts"
import { showState } from "./title.ts"

onHtmx("oobAfterSwap", showState)

times.start()
focus.start()
actions.start()
for (const part of [projects, chart, log, editor, doctor]) part.start()
connection.start()
