import { byId, find, on, onHtmx } from "./page.ts"

/** Comments, texts, [headers] and values of a line, in the order of `classes`. */
const tokens =
  /(#.*)|("(?:\\.|[^"\\])*"?|'[^']*'?)|(^\s*\[.*?\]+)|((?<=[=,[]\s*)(?:[+-]?\d[\w.:+-]*|true|false)\b)/g
const classes = "cstn"

/** Colouring a longer text would hold up typing. */
const maxColoured = 1e5

const span = (text: string, style: string): HTMLElement => {
  const element = document.createElement("span")
  element.textContent = text
  element.className = style
  return element
}

/** A line with its colours. */
const coloured = (text: string, style: string): HTMLElement => {
  const line = span("", style)
  let at = 0
  for (const match of text.matchAll(tokens)) {
    const kind = match.slice(1).findIndex(Boolean)
    line.append(text.slice(at, match.index), span(match[0], `hl-${classes[kind]}`))
    at = match.index + match[0].length
  }
  line.append(`${text.slice(at)}\n`)
  return line
}

export const start = (): void => {
  if (!find("config-form")) return
  const form = byId("config-form")
  const area = byId<HTMLTextAreaElement>("config-text")
  const base = byId<HTMLInputElement>("config-base")
  const discard = byId<HTMLButtonElement>("config-discard")
  const save = byId<HTMLButtonElement>("config-save")
  const holder = byId("config-stored")
  let stored = ""
  const isDirty = (): boolean => area.value !== stored

  const paint = (): void => {
    const bad = [...form.querySelectorAll<HTMLElement>("[data-line]")].map(({ dataset }) =>
      Number(dataset["line"])
    )
    const text = area.value
    const lines = text.split("\n")
    const styleOf = (n: number): string => (bad.includes(n + 1) ? "hl-e" : "")
    byId("config-lines").replaceChildren(...lines.map((_, n) => span(`${n + 1}`, styleOf(n))))
    byId("config-shown").replaceChildren(
      ...(text.length > maxColoured ? [`${text}\n`] : lines.map((line, n) => coloured(line, styleOf(n))))
    )
    discard.disabled = !isDirty()
    save.disabled = !isDirty() || bad.length > 0
  }

  on(area, "input", paint)
  addEventListener("beforeunload", (event) => isDirty() && event.preventDefault())
  on(form, "click", ({ target }) => {
    const line = Number((target as HTMLElement).dataset["line"])
    if (!line) return
    const lines = area.value.split("\n")
    const from = lines.slice(0, line - 1).join(" ").length + Number(line > 1)
    area.focus()
    area.setSelectionRange(from, from + (lines[line - 1]?.length ?? 0))
    byId("config-box").scrollTop = (area.scrollHeight / lines.length) * (line - 4)
  })

  onHtmx<{ elt: HTMLElement; pathInfo: { requestPath: string }; successful: boolean }>(
    "afterRequest",
    ({ elt, pathInfo: { requestPath: path }, successful }) => {
      if (!path.startsWith("/ui/config/") || !successful) return
      const isLoad = path.includes("stored")
      const fresh = (holder.firstElementChild as HTMLElement | null)?.dataset
      holder.textContent = ""
      // A load by itself never takes the place of typing: the old hash stays, and the check finds the conflict.
      if (fresh && (elt !== holder || !isDirty())) {
        stored = fresh["text"] ?? ""
        base.value = fresh["sha256"] ?? ""
        if (isLoad && !path.includes("mine") && isDirty()) area.value = stored
      }
      paint()
      if (isLoad && isDirty()) htmx.trigger(form, "change")
      if (elt === save && find("config-confirmed")) save.click()
    }
  )
}
