import { byId, on, onHtmx, withView } from "./page.ts"
import { token, tokenHeader } from "./token.ts"

/** How fresh the page is: pushed, asked for every three seconds, or out of touch. */
type State = "connecting" | "live" | "polling" | "offline"

const pollMs = 3000

/** The server sends something at least every three seconds. */
const staleMs = 10_000

interface SocketWrapper {
  readonly sendImmediately: (text: string) => void
  readonly reconnect: () => void
}

interface WithSocket {
  readonly socketWrapper: SocketWrapper
}

let state: State | undefined
let current: WebSocket | undefined
let wrapper: SocketWrapper | undefined
let lastMs = Date.now()
let poll: number | undefined
let isDenied = false

export const isLive = (): boolean => state === "live"

/** Sends a message to the server while the page is live. */
export const send = (message: unknown): void => {
  if (isLive()) wrapper?.sendImmediately(JSON.stringify(message))
}

const pollNow = (): void => htmx.trigger(byId("poller"), "autopilotd:poll")

/** Shows the state, and why it is so: a sentence that the page holds, and more about it. */
const become = (next: State, why = "", more = ""): void => {
  const word = byId("conn-word")
  const problem = byId("conn-problem")
  const text = why && `${problem.dataset[why]} ${more}`
  // A live region speaks on each write.
  if (state !== next) word.textContent = next
  if (problem.textContent !== text) problem.textContent = text
  problem.hidden = !text
  state = document.body.dataset["conn"] = byId("conn").dataset["state"] = next
  if (isLive() || isDenied) {
    clearInterval(poll)
    poll = undefined
  } else poll ??= setInterval(pollNow, pollMs)
}

/** Sockets that htmx has replaced still deliver messages and their end: nothing of them may reach the page. */
const connect = (url: string): WebSocket => {
  current?.close()
  const socket = new WebSocket(withView(url), ["autopilotd.v1", `token.${token}`])
  current = socket
  for (const name of ["open", "message", "close", "error"])
    on(socket, name, (event) => socket !== current && event.stopImmediatePropagation())
  return socket
}

/** Shows something else: the server sends all of it on a new connection. */
export const reconnect = (): void => {
  if (wrapper && current?.readyState === WebSocket.OPEN) wrapper.reconnect()
  else pollNow()
}

const watch = (): void => {
  if (!isLive() || Date.now() - lastMs < staleMs) return
  become("offline", "silent")
  wrapper?.reconnect()
}

/** Connects, and keeps the indicator true. */
export const start = (): void => {
  htmx.createWebSocket = connect
  htmx.config.wsReconnectDelay = (retries) => Math.min(250 * 2 ** retries, 3000) * (0.75 + Math.random() / 2)

  onHtmx<{ headers: Record<string, string>; path: string }>("configRequest", (detail) => {
    detail.headers[tokenHeader] = token
    if (detail.path.startsWith("/ui/")) detail.path = withView(detail.path)
  })
  onHtmx<WithSocket>("wsOpen", ({ socketWrapper }) => {
    wrapper = socketWrapper
    lastMs = Date.now()
    become("live")
  })
  onHtmx<WithSocket>("wsAfterMessage", ({ socketWrapper }) => {
    lastMs = Date.now()
    socketWrapper.sendImmediately("ok")
    if (!isLive()) become("live")
  })
  onHtmx<WithSocket & { event: CloseEvent }>("wsClose", ({ event, socketWrapper }) => {
    // A retry that fails must not hide that polling works, or a better reason.
    if (isLive() || state === "connecting") become("offline", "lost", event.reason)
    // htmx connects again after these codes only.
    if (![1006, 1011, 1012, 1013].includes(event.code) && !isDenied) setTimeout(socketWrapper.reconnect, 1000)
  })
  onHtmx("sendError", () => become("offline", "gone"))
  onHtmx("timeout", () => become("offline", "busy"))
  onHtmx<{ elt: Element; xhr: XMLHttpRequest }>("responseError", ({ elt, xhr: { status } }) => {
    isDenied ||= status === 401
    if (isDenied) become("offline", "denied")
    else if (elt.id === "poller") become("offline", "failed", `${status}`)
  })
  onHtmx<{ elt: Element; successful: boolean }>("afterRequest", ({ elt, successful }) => {
    // Log and editor ask once, and so ask again what a busy panel has not answered.
    if (!successful && !isDenied) setTimeout(() => htmx.trigger(elt, "again"), pollMs)
    else if (successful && elt.id === "poller" && !isLive()) become("polling", "polling")
  })
  setInterval(watch, 1000)
  on(document, "visibilitychange", watch)
  become("connecting")
  // Only now: the handlers above must hear the first event.
  const live = byId("live")
  live.setAttribute("ws-connect", live.dataset["ws"] ?? "")
  htmx.process(live)
}
