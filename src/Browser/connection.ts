import { byId, onHtmx, withView } from "./page.ts"
import { token, tokenHeader } from "./token.ts"

/** How fresh the page is: pushed, asked for every three seconds, or out of touch. */
type State = "connecting" | "live" | "polling" | "offline"

const words: Readonly<Record<State, string>> = {
  connecting: "Connecting",
  live: "Live",
  polling: "Polling",
  offline: "Offline"
}

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

let state: State = "connecting"
let current: WebSocket | undefined
let wrapper: SocketWrapper | undefined
let lastMs = Date.now()
let poll: number | undefined
let isDenied = false

const server = (): string => `the panel at ${location.host}`

const become = (next: State, problem = ""): void => {
  const hasChanged = next !== state
  state = next
  document.body.dataset["conn"] = next
  byId("conn").dataset["state"] = next
  // A live region speaks on each write.
  if (hasChanged) byId("conn-word").textContent = words[next]
  const text = byId("conn-problem")
  if (text.textContent !== problem) text.textContent = problem
  text.hidden = problem === ""
  if (next === "live" || isDenied) {
    clearInterval(poll)
    poll = undefined
  } else poll ??= setInterval(() => htmx.trigger(byId("poller"), "autopilotd:poll"), pollMs)
}

/** Sockets that htmx has replaced still deliver messages and their end: nothing of them may reach the page. */
const connect = (url: string): WebSocket => {
  current?.close()
  const socket = new WebSocket(withView(url), ["autopilotd.v1", `token.${token}`])
  current = socket
  for (const name of ["open", "message", "close", "error"])
    socket.addEventListener(name, (event) => {
      if (socket !== current) event.stopImmediatePropagation()
    })
  return socket
}

/** Shows another project: the server sends all of it on a new connection. */
export const reconnect = (): void => {
  if (wrapper !== undefined && current?.readyState === WebSocket.OPEN) wrapper.reconnect()
  else htmx.trigger(byId("poller"), "autopilotd:poll")
}

const watch = (): void => {
  if (state !== "live" || Date.now() - lastMs < staleMs) return
  lastMs = Date.now()
  become("offline", `${server()} has sent nothing for 10 seconds. Connecting again.`)
  wrapper?.reconnect()
}

const refused = (status: number, text: string): void => {
  if (status === 401) {
    isDenied = true
    become("offline", "This link is no longer valid. Run “autopilotd gui” again for a new one.")
  } else byId("conn-problem").textContent = `The panel answered ${status}: ${text.slice(0, 300)}`
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
    if (state !== "live") become("live")
  })
  onHtmx<WithSocket & { event: CloseEvent }>("wsClose", ({ event, socketWrapper }) => {
    // A retry that fails must not hide that polling works, or a better reason.
    if (state === "live" || state === "connecting")
      become(
        "offline",
        `The connection to ${server()} is lost${event.reason === "" ? "" : `: ${event.reason}`}. Trying again.`
      )
    // htmx connects again after these codes only.
    if (![1006, 1011, 1012, 1013].includes(event.code) && !isDenied) setTimeout(socketWrapper.reconnect, 1000)
  })
  onHtmx("sendError", () => become("offline", `${server()} cannot be reached. Is it running? Trying again.`))
  onHtmx("timeout", () => become("offline", `${server()} does not answer. Trying again.`))
  onHtmx<{ xhr: XMLHttpRequest }>("responseError", ({ xhr }) => refused(xhr.status, xhr.responseText))
  onHtmx<{ elt: Element; successful: boolean }>("afterRequest", ({ elt, successful }) => {
    if (elt.id === "poller" && successful && state !== "live")
      become("polling", "No live updates: the page asks every 3 seconds.")
  })
  setInterval(watch, 1000)
  document.addEventListener("visibilitychange", watch)
  become("connecting")
  // Only now: the handlers above must hear the first event.
  const live = byId("live")
  live.setAttribute("ws-connect", live.dataset["ws"] ?? "/ws")
  htmx.process(live)
}
