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

export const find = (id: string): HTMLElement | null => document.getElementById(id)

/** An element that the page always has. */
export const byId = find as <Kind extends HTMLElement>(id: string) => Kind

/** Listens to an event of an element. */
export const on = <Name extends string>(
  target: EventTarget,
  name: Name,
  act: (event: Name extends keyof HTMLElementEventMap ? HTMLElementEventMap[Name] : Event) => void,
  options?: AddEventListenerOptions
): void => target.addEventListener(name, act as (event: Event) => void, options)

/** Listens to an event of htmx, which carries its data in `detail`. */
export const onHtmx = <Detail>(name: string, act: (detail: Detail, event: Event) => void): void =>
  on(document.body, `htmx:${name}`, (event) => act((event as CustomEvent<Detail>).detail, event))

/** Adds what the page shows (its project and its range, the query of its address) to an address of this server. */
export const withView = (path: string): string => {
  const [place, query] = path.split("?")
  const view = new URLSearchParams(location.search)
  new URLSearchParams(query).forEach((value, name) => view.set(name, value))
  return `${place}?${view}`
}
