import { byId, onHtmx } from "./page.ts"

/** Asks before what stops work: the button that keeps things as they are has the focus. */
const confirmFirst = (): void => {
  const dialog = byId("confirm") as HTMLDialogElement
  onHtmx<{ elt: HTMLElement; issueRequest: (skipConfirmation: boolean) => void }>(
    "confirm",
    ({ elt, issueRequest }, event) => {
      const {
        consequence = "",
        keep = "Keep running",
        question
      } = (document.getElementById(elt.dataset["ask"] ?? "") ?? elt).dataset
      if (question === undefined) return
      event.preventDefault()
      byId("confirm-question").textContent = question
      byId("confirm-consequence").textContent = consequence
      byId("confirm-no").textContent = keep
      byId("confirm-yes").textContent = elt.textContent
      dialog.returnValue = "no"
      dialog.addEventListener("close", () => dialog.returnValue === "yes" && issueRequest(true), {
        once: true
      })
      dialog.showModal()
    }
  )
}

const toastMs = 12_000

/** Says what an action has led to. Errors stay until they are closed. */
export const toast = (text: string, isError: boolean): void => {
  const box = document.createElement("div")
  box.className = `toast ${isError ? "bad" : "ok"}`
  const said = document.createElement("p")
  said.textContent = text
  const close = document.createElement("button")
  close.className = "btn ghost sm"
  close.type = "button"
  close.setAttribute("aria-label", "Close this message")
  close.textContent = "✕"
  close.addEventListener("click", () => box.remove())
  box.append(said, close)
  byId("toasts").append(box)
  if (!isError) setTimeout(() => box.remove(), toastMs)
}

const answerOf = (text: string): { readonly success?: unknown; readonly message?: unknown } => {
  try {
    return JSON.parse(text) ?? {}
  } catch {
    return {}
  }
}

export const start = (): void => {
  confirmFirst()
  onHtmx<{ elt: HTMLElement; xhr: XMLHttpRequest; pathInfo: { requestPath: string } }>(
    "afterRequest",
    ({ pathInfo, xhr }) => {
      if (!pathInfo.requestPath.startsWith("/api/") || xhr.status === 0) return
      const { message, success } = answerOf(xhr.responseText)
      if (typeof message === "string") toast(message, success !== true)
    }
  )
}
