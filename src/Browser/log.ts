import { isLive, send } from "./connection.ts"
import { byId, find, on, onHtmx, withView } from "./page.ts"
import { localise } from "./times.ts"
import { token, tokenHeader } from "./token.ts"

/** More rows make a browser slow. */
const maxRows = 2000

const project = (): string | null => new URLSearchParams(location.search).get("project")

/** Takes the time to show from the address, so that no later request has it. */
export const takeTime = (): string => {
  const url = new URL(location.href)
  const time = url.searchParams.get("at") ?? ""
  url.searchParams.delete("at")
  if (time) history.replaceState(null, "", url)
  return time
}

/** Shows the lines around a time, on a page with the log. */
export let goTo: ((time: string) => void) | undefined

/** The log: rows come with htmx; this keeps their number small, the place in view, and says what is followed. */
export const start = (): void => {
  if (!find("log")) return
  const form = byId<HTMLFormElement>("log-form")
  const [box, rows, button, older, newer] = [
    "log-box",
    "log-rows",
    "log-follow",
    "log-older",
    "log-newer"
  ].map(byId) as [HTMLElement, HTMLElement, HTMLElement, HTMLElement, HTMLElement]
  let at = takeTime()
  let isFollowing = true
  let shown: string | null | undefined
  let anchor: Element | undefined
  let anchorTop = 0

  const place = (row: Element | null) => (row as HTMLElement | null)?.dataset["c"] ?? ""
  const tell = () => {
    const after = place(rows.lastElementChild)
    send({
      type: "log",
      ...Object.fromEntries([...new FormData(form)].filter(([, value]) => value)),
      ...(after && { after }),
      live: isFollowing
    })
  }
  const setFollowing = (isOn: boolean) => {
    isFollowing = isOn
    button.setAttribute("aria-pressed", `${isOn}`)
    byId("log-new").textContent = ""
  }
  const pause = () => {
    if (!isFollowing) return
    setFollowing(false)
    tell()
  }
  const load = () => htmx.trigger(form, "autopilotd:log")
  const show = (time: string) => {
    at = time
    load()
  }
  goTo = (time) => {
    form.reset()
    byId("history-list").hidePopover?.()
    show(time)
    box.focus()
  }
  const refresh = () => {
    if (shown === undefined || shown !== project()) load()
    else if (isLive()) tell()
    else if (isFollowing) htmx.trigger(newer, "click")
  }

  onHtmx<{ elt: Element; parameters: Record<string, string> }>("configRequest", ({ elt, parameters }) => {
    if (elt === older) {
      pause()
      parameters["before"] = place(rows.firstElementChild)
    }
    if (elt === newer) parameters["after"] = place(rows.lastElementChild)
    if (elt === form) {
      shown = project()
      setFollowing(!at)
      parameters["at"] = at
      at = ""
    }
  })
  /** What has asked for the new rows; nothing has for those that the server sends by itself. */
  interface Swap {
    readonly target: Element
    readonly requestConfig?: { readonly elt: Element }
  }
  const before = ({ requestConfig, target }: Swap) => {
    if (target !== rows) return
    anchor = [...rows.querySelectorAll(".row")].at(requestConfig?.elt === older ? 0 : -1)
    anchorTop = anchor?.getBoundingClientRect().top ?? 0
  }
  const after = ({ requestConfig, target }: Swap) => {
    if (target !== rows) return
    const elt = requestConfig?.elt
    localise(rows)
    while (rows.childElementCount > maxRows)
      (elt === older ? rows.lastElementChild : rows.firstElementChild)?.remove()
    if (isFollowing) box.scrollTop = box.scrollHeight
    else if (elt === form) rows.querySelector(".here")?.scrollIntoView({ block: "center" })
    else if (anchor?.isConnected) box.scrollTop += anchor.getBoundingClientRect().top - anchorTop
    if (elt && elt !== older) tell()
  }
  onHtmx("beforeSwap", before)
  onHtmx("afterSwap", after)
  onHtmx<Swap>("oobBeforeSwap", ({ target }) => before({ target }))
  onHtmx<Swap>("oobAfterSwap", ({ target }) => after({ target }))
  // After the indicator says so.
  onHtmx("wsOpen", () => setTimeout(refresh))
  onHtmx<{ elt: Element; successful: boolean }>("afterRequest", ({ elt, successful }) => {
    if (elt.id === "poller" && successful) refresh()
  })

  on(button, "click", () => (isFollowing ? pause() : load()))
  on(box, "scroll", () => {
    if (box.scrollHeight - box.scrollTop - box.clientHeight > 40) pause()
  })
  on(
    rows,
    "toggle",
    ({ target }) => {
      const row = target as HTMLDetailsElement
      const raw = row.lastElementChild
      if (!row.open || !raw) return
      pause()
      if (!raw.textContent) htmx.ajax("GET", `/ui/log/line?at=${place(row)}`, raw)
    },
    { capture: true }
  )
  on(byId("log-at"), "change", ({ target }) => {
    // The time of a clock here. An unfinished one is none.
    const ms = new Date((target as HTMLInputElement).value).getTime()
    if (ms) show(`${ms}`)
  })
  on(byId("log-save"), "click", async () => {
    const answer = await fetch(withView("/ui/log/download"), { headers: { [tokenHeader]: token } })
    const link = document.createElement("a")
    link.href = URL.createObjectURL(await answer.blob())
    link.download = `${project() ?? "worker"}.log`
    link.click()
    URL.revokeObjectURL(link.href)
  })
}
