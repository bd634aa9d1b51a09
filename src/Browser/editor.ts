import { byId, onHtmx } from "./page.ts"

/** Comments, texts, [headers], numbers, and other words, in the order of `classes`. */
const tokens =
  /(#.*)|("""[^]*?"""|'''[^]*?'''|"(?:\\.|[^"\\\n])*"?|'[^'\n]*'?)|(^[ \t]*\[.*?\]+)|((?<=[=,[]\s*)(?:[+-]?\d[\w.:+-]*|true|false)\b)|([^\s=,"'#[\]{}]+)/gm
const classes = "cstnk"

/** Colouring a longer text would hold up typing. */
const maxColoured = 1e5

/** The height of a line in pixels, nearly. */
const lineHeight = 20

export const start = (): void => {
  const form = document.getElementById("config-form")
  if (form === null) return
  const area = byId("config-text") as HTMLTextAreaElement
  const base = byId("config-base") as HTMLInputElement
  const [discard, save] = form.querySelectorAll<HTMLButtonElement>(".foot > button")
  const holder = byId("config-stored")
  const shown = byId("config-shown")
  const numbers = byId("config-lines")
  let stored = ""
  const isDirty = (): boolean => area.value !== stored

  const paint = (): void => {
    const text = area.value
    const bad = new Set(
      [...form.querySelectorAll<HTMLElement>("[data-line]")].map((each) => each.dataset["line"])
    )
    shown.textContent = numbers.textContent = ""
    let line = 1
    let at = 0
    const put = (parent: Element, part: string, style: string): void => {
      const element = document.createElement("span")
      element.textContent = part
      element.className = bad.has(`${line}`) ? `${style} hl-e` : style
      parent.append(element)
    }
    const count = (part: string): void => {
      for (const _ of part.matchAll(/\n/g)) {
        put(numbers, `${line}`, "")
        line++
      }
    }
    for (const match of text.length < maxColoured ? text.matchAll(tokens) : []) {
      const between = text.slice(at, match.index)
      shown.append(between)
      count(between)
      put(shown, match[0], `hl-${classes[match.slice(1).findIndex(Boolean)]}`)
      count(match[0])
      at = match.index + match[0].length
    }
    const rest = `${text.slice(at)}\n`
    shown.append(rest)
    count(rest)
    if (discard) discard.disabled = !isDirty()
    if (save) save.disabled = !isDirty() || bad.size > 0
  }

  area.addEventListener("input", paint)
  addEventListener("beforeunload", (event) => isDirty() && event.preventDefault())
  form.addEventListener("click", ({ target }) => {
    const line = Number((target as HTMLElement).dataset["line"])
    if (!line) return
    const from =
      area.value
        .split("\n")
        .slice(0, line - 1)
        .join("\n").length + Number(line > 1)
    area.focus()
    // -1 is the end.
    area.setSelectionRange(from, area.value.indexOf("\n", from))
    byId("config-box").scrollTop = lineHeight * (line - 4)
  })

  onHtmx<{ elt: HTMLElement; pathInfo: { requestPath: string }; successful: boolean }>(
    "afterRequest",
    ({ elt, pathInfo: { requestPath: path }, successful }) => {
      if (!path.startsWith("/ui/config/") || !successful) return
      const isLoad = path.includes("stored")
      const fresh = (holder.firstElementChild as HTMLElement | null)?.dataset
      holder.textContent = ""
      // A load by itself never takes the place of typing: the old hash stays, and the check finds the conflict.
      if (fresh !== undefined && (elt !== holder || !isDirty())) {
        stored = fresh["text"] ?? ""
        base.value = fresh["sha256"] ?? ""
        if (isLoad && !path.includes("mine") && isDirty()) area.value = stored
      }
      paint()
      if (isLoad && isDirty()) htmx.trigger(form, "change")
      if (elt === save && document.getElementById("config-confirmed") !== null) save.click()
    }
  )
}
