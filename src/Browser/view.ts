import { reconnect } from "./connection.ts"
import * as log from "./log.ts"
import { on, withView } from "./page.ts"

let shown = ""

/** Shows what the address says, whose time goes to the log. */
const show = (): void => {
  const time = log.takeTime()
  if (shown !== location.search) reconnect()
  shown = location.search
  if (time) log.goTo?.(time)
}

/** Links to another project, range or time change the page without loading it again. */
export const start = (): void => {
  shown = location.search
  on(document, "click", (event) => {
    const link = (event.target as Element).closest<HTMLAnchorElement>("a[data-view]")
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    history.pushState(null, "", withView(`/${link.search}`))
    show()
  })
  on(window, "popstate", show)
}
