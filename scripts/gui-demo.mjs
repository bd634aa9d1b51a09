// `npm run gui:demo`: the panel with a daemon and demo workers in a temporary home, until Ctrl-C.
import { startDemo } from "./demo-panel.mjs"

const { guiEnded, link, stop } = await startDemo()
process.stdout.write(`
The panel of a demo: five projects, one for each state that a worker can be in. Nothing of yours is touched.

  ${link}

Try its buttons. Stop everything with Ctrl-C.
`)
// npm forwards each signal, so more than one may come.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop)
await guiEnded
await stop()
