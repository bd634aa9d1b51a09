import * as actions from "./actions.ts"
import * as chart from "./chart.ts"
import * as connection from "./connection.ts"
import * as editor from "./editor.ts"
import * as focus from "./focus.ts"
import * as log from "./log.ts"
import { onHtmx } from "./page.ts"
import * as times from "./times.ts"
import { showState } from "./title.ts"
import * as view from "./view.ts"

onHtmx("oobAfterSwap", showState)

times.start()
focus.start()
actions.start()
chart.start()
log.start()
view.start()
editor.start()
connection.start()
