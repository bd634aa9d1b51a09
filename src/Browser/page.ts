/** What this code uses of htmx 2 (https://htmx.org/reference/) and of its extension ws. */
interface Htmx {
  readonly process: (element: Element) => void
  readonly trigger: (element: Element, event: string) => void
  readonly ajax: (method: "GET", path: string, target: Element) => unknown
  readonly config: { wsReconnectDelay: (retries: number) => number }
  createWebSocket: (url: string) => WebSocket
}

declare global {
  const htmx: Htmx
}

/** An element that the page always has. */
export const byId = (id: string): HTMLElement => {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`The page has no #${id}`)
  return found
}

/** Listens to an event of htmx, which carries its data in `detail`. */
export const onHtmx = <Detail>(name: string, act: (detail: Detail, event: Event) => void): void =>
  document.body.addEventListener(`htmx:${name}`, (event) => act((event as CustomEvent<Detail>).detail, event))

/** Adds what the page shows (its project and its range, the query of its address) to an address of this server. */
export const withView = (path: string): string => {
  const view = new URLSearchParams(location.search)
  for (const [name, value] of new URLSearchParams(path.split("?")[1] ?? "")) view.set(name, value)
  const query = view.toString()
  return `${path.split("?")[0]}${query === "" ? "" : `?${query}`}`
}
