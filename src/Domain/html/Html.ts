/** Finished HTML. Only the template and `trusted` make one, so a text of elsewhere is never taken for markup. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
  toString(): string {
    return this.text
  }
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;"
}

/** Escapes a text for an element or a quoted attribute. The parser of a browser would drop NUL and change a lone CR. */
const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (sign) => entities[sign] ?? sign).replace(/[\0\r]/g, "\ufffd")

/** A value in the template: lists are joined, and nothing stands for what is absent. */
export type HtmlValue = Html | string | number | undefined | false | ReadonlyArray<HtmlValue>

const shown = (value: HtmlValue): string => {
  if (value === undefined || value === false) return ""
  if (value instanceof Html) return value.text
  if (typeof value === "string") return escaped(value)
  if (typeof value === "number") return String(value)
  return value.map(shown).join("")
}

/** The template of the panel: escapes every value but HTML of its own. Attributes must be quoted. */
export const html = (strings: TemplateStringsArray, ...values: ReadonlyArray<HtmlValue>): Html =>
  new Html(strings.map((text, at) => (at === 0 ? text : `${shown(values[at - 1])}${text}`)).join(""))

export const nothing = new Html("")

/**
 * A piece of the page that a message replaces: the element with this id gets a new content. htmx swaps it wherever it is.
 */
export interface Fragment {
  readonly id: string
  readonly content: Html
  /** Where the content holds other pieces: it is sent again only when this changes. */
  readonly key?: string
}

/** The message of htmx for fragments ("out of band"). */
export const outOfBand = (fragments: ReadonlyArray<Fragment>): string =>
  fragments
    .map(({ content, id }) => html`<div id="${id}" hx-swap-oob="innerHTML">${content}</div>`.text)
    .join("\n")
