import { reconnect } from "./connection.ts"

/** Shows another project without loading the page again. */
export const start = (): void => {
  document.getElementById("projects")?.addEventListener("click", (event) => {
    const link = (event.target as Element).closest<HTMLAnchorElement>("a[data-project]")
    if (link === null || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return
    event.preventDefault()
    history.pushState(null, "", link.getAttribute("href") ?? "/")
    reconnect()
  })
  addEventListener("popstate", reconnect)
}
