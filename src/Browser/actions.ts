import { byId, find, on, onHtmx } from "./page.ts"

/** Asks before what stops work: the button that keeps things as they are has the focus. */
const confirmFirst = (): void => {
  const dialog = byId<HTMLDialogElement>("confirm")
  const write = (part: string, text: string | null = "") => {
    byId(`confirm-${part}`).textContent = text
  }
  onHtmx<{ elt: HTMLElement; issueRequest: (skipConfirmation: boolean) => void }>(
    "confirm",
    ({ elt, issueRequest }, event) => {
      const { consequence, keep = "Keep running", question } = (find(elt.dataset["ask"] ?? "") ?? elt).dataset
      if (!question) return
      event.preventDefault()
      write("question", question)
      write("consequence", consequence)
      write("no", keep)
      write("yes", elt.textContent)
      dialog.returnValue = "no"
      on(dialog, "close", () => dialog.returnValue === "yes" && issueRequest(true), { once: true })
      dialog.showModal()
    }
  )
}

const toastMs = 12_000

/** Says what an action has led to. Errors stay until they are closed. */
const toast = (text: string, isError: boolean): void => {
  const box = byId<HTMLTemplateElement>("toast").content.firstElementChild?.cloneNode(true) as HTMLElement
  box.classList.add(isError ? "bad" : "ok")
  const [said, close] = box.children as unknown as [HTMLElement, HTMLElement]
  said.textContent = text
  on(close, "click", () => box.remove())
  byId("toasts").append(box)
  if (!isError) setTimeout(() => box.remove(), toastMs)
}

const answerOf = (text: string): { readonly success?: boolean; readonly message?: string } => {
  try {
    return JSON.parse(text) ?? {}
  } catch {
    return {}
  }
}

export const start = (): void => {
  confirmFirst()
  onHtmx<{ xhr: XMLHttpRequest; pathInfo: { requestPath: string } }>("afterRequest", ({ pathInfo, xhr }) => {
    if (!pathInfo.requestPath.startsWith("/api/")) return
    const { message, success } = answerOf(xhr.responseText)
    if (message) toast(message, !success)
  })
}
