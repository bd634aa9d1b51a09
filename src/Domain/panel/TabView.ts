import { type Html, html } from "../html/Html.ts"
import type { Tone } from "../html/Icons.ts"
import type { StateWords } from "./StateView.ts"

/** They stand on the browser's own background, dark or light. */
const colours: Readonly<Record<Tone, string>> = {
  ok: "#18a058",
  warn: "#c47a00",
  bad: "#dc3a33",
  off: "#8a94a3"
}

const picture = (tone: Tone): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6.5" fill="${colours[tone]}"/></svg>`

/** Title and icon of the tab, where the state of a project is seen without opening it. */
export const tabView = ({ tone, word }: Pick<StateWords, "tone" | "word">, project: string): Html => {
  const title = [`${tone === "off" ? "○" : "●"} ${word}`, project, "autopilotd"].filter((part) => part !== "")
  return html`<span data-title="${title.join(" · ")}" data-icon="data:image/svg+xml,${encodeURIComponent(picture(tone))}"></span>`
}
