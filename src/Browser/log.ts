import { reconnect } from "./connection.ts"
import { byId, onHtmx, withView } from "./page.ts"
import { localise } from "./times.ts"
import { token, tokenHeader } from "./token.ts"

/** More rows make a browser slow. */
const maxRows = 2000

const project = (): string | null => new URLSearchParams(location.search).get("project")

/** Takes the time to show first from the address, so that no later request has it. */
const takeTime = (): string => {
  const url = new URL(location.href)
  const at = url.searchParams.get("at") ?? ""
  url.searchParams.delete("at")
  if (at !== "") history.replaceState(null, "", url)
  return at
}

/** The log: rows come with htmx; this keeps their number small, the place in view, and says what is followed. */
export const start = (): void => {
  if (document.getElementById("log") === null) return
  const [box, rows, form, button] = ["log-box", "log-rows", "log-form", "log-follow"].map(byId) as [
    HTMLElement,
    HTMLElement,
    HTMLFormElement,
    HTMLElement
  ]
  let socket: { readonly send: (text: string) => void } | undefined
  let at = takeTime()
  let isFollowing = true
  let shown: string | null | undefined
  let anchor: Element | undefined
  let anchorTop = 0

  const isLive = () => document.body.dataset["conn"] === "live"
  const place = (row: Element | null) => (row as HTMLElement | null)?.dataset["c"] ?? ""
  const tell = () => {
    const choice = [...new FormData(form)].filter(([, value]) => value !== "")
    const after = place(rows.lastElementChild)
    if (isLive())
      socket?.send(
        JSON.stringify({
          type: "log",
          ...Object.fromEntries(choice),
          ...(after && { after }),
          live: isFollowing
        })
      )
  }
  const setFollowing = (on: boolean) => {
    isFollowing = on
    button.setAttribute("aria-pressed", String(on))
    byId("log-new").textContent = ""
  }
  const pause = () => {
    if (!isFollowing) return
    setFollowing(false)
    tell()
  }
  const load = () => htmx.trigger(form, "autopilotd:log")
  const goTo = (time: string) => {
    at = time
    load()
  }
  const refresh = () => {
    if (shown === undefined || shown !== project()) load()
    else if (isLive()) tell()
    else if (isFollowing) htmx.trigger(byId("log-newer"), "click")
  }

  onHtmx<{ elt: Element; parameters: Record<string, string> }>("configRequest", ({ elt, parameters }) => {
    if (elt.id === "log-older") {
      pause()
      parameters["before"] = place(rows.firstElementChild)
    }
    if (elt.id === "log-newer") parameters["after"] = place(rows.lastElementChild)
    if (elt === form) {
      shown = project()
      setFollowing(at === "")
      parameters["at"] = at
      at = ""
    }
  })
  const before = (elt: Element | undefined) => {
    anchor = [...rows.querySelectorAll(".row")].at(elt?.id === "log-older" ? 0 : -1)
    anchorTop = anchor?.getBoundingClientRect().top ?? 0
  }
  const after = (elt: Element | undefined) => {
    const isOlder = elt?.id === "log-older"
    localise(rows)
    while (rows.childElementCount > maxRows)
      (isOlder ? rows.lastElementChild : rows.firstElementChild)?.remove()
    if (isFollowing) box.scrollTop = box.scrollHeight
    else if (elt === form) rows.querySelector(".here")?.scrollIntoView({ block: "center" })
    else if (anchor?.isConnected) box.scrollTop += anchor.getBoundingClientRect().top - anchorTop
    if (elt !== undefined && !isOlder) tell()
  }
  onHtmx<{ target: Element; requestConfig: { elt: Element } }>("beforeSwap", ({ requestConfig, target }) => {
    if (target === rows) before(requestConfig.elt)
  })
  onHtmx<{ target: Element; requestConfig: { elt: Element } }>("afterSwap", ({ requestConfig, target }) => {
    if (target === rows) after(requestConfig.elt)
  })
  onHtmx<{ target: Element }>("oobBeforeSwap", ({ target }) => target === rows && before(undefined))
  onHtmx<{ target: Element }>("oobAfterSwap", ({ target }) => target === rows && after(undefined))
  onHtmx<{ socketWrapper: NonNullable<typeof socket> }>("wsOpen", ({ socketWrapper }) => {
    socket = socketWrapper
    // After the indicator says so.
    setTimeout(refresh)
  })
  onHtmx<{ elt: Element; successful: boolean }>("afterRequest", ({ elt, successful }) => {
    if (elt.id === "poller" && successful) refresh()
  })

  button.addEventListener("click", () => (isFollowing ? pause() : load()))
  box.addEventListener("scroll", () => {
    if (box.scrollHeight - box.scrollTop - box.clientHeight > 40) pause()
  })
  rows.addEventListener(
    "toggle",
    ({ target }) => {
      const row = target as HTMLDetailsElement
      const raw = row.lastElementChild
      if (!row.open || raw === null) return
      pause()
      if (raw.textContent === "") htmx.ajax("GET", `/ui/log/line?at=${place(row)}`, raw)
    },
    true
  )
  byId("log-at").addEventListener("change", ({ target }) => {
    const ms = (target as HTMLInputElement).valueAsNumber
    // The field has the time of a clock here, as if it were UTC.
    if (!Number.isNaN(ms)) goTo(String(ms + new Date(ms).getTimezoneOffset() * 60_000))
  })
  document.addEventListener("click", (event) => {
    const link = (event.target as Element).closest<HTMLAnchorElement>("a[data-log-at]")
    if (link === null || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return
    event.preventDefault()
    history.pushState(null, "", link.href)
    const time = takeTime()
    form.reset()
    if (shown !== project()) reconnect()
    goTo(time)
    box.focus()
  })
  byId("log-save").addEventListener("click", async () => {
    const answer = await fetch(withView("/ui/log/download"), { headers: { [tokenHeader]: token } })
    const link = document.createElement("a")
    link.href = URL.createObjectURL(await answer.blob())
    link.download = `${project() ?? "worker"}.log`
    link.click()
    URL.revokeObjectURL(link.href)
  })
}
