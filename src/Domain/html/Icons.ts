import { Html, html } from "./Html.ts"

/** The outlines, drawn in a box of 24 by 24. */
const outlines = {
  check: "M5 12.5l4.5 4.5L19 7.5",
  restart: "M3 12a9 9 0 1 0 3-6.7L3 8M3 3v5h5",
  stop: "M6 6h12v12H6z",
  start: "M7 4.5l12 7.5-12 7.5z",
  power: "M12 3v9M6.3 6.8a8 8 0 1 0 11.4 0",
  alert: "M12 3.5L22 20H2zM12 10v4M12 17.2h.01",
  wait: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3.5 2",
  off: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8 12h8",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zm5 12l4 4",
  follow: "M12 4v12m-5-5l5 5 5-5M5 20h14",
  wrap: "M4 6h16M4 12h13a3 3 0 0 1 0 6h-4m2-2l-2 2 2 2M4 18h5",
  download: "M12 4v11m-4-4l4 4 4-4M5 20h14",
  close: "M6 6l12 12M18 6L6 18",
  machine: "M4 5h16v6H4zM4 13h16v6H4zM8 8h.01M8 16h.01",
  doctor: "M3 12h4l3-7 4 14 3-7h4",
  agent: "M12 3l2.2 5.8L20 11l-5.8 2.2L12 19l-2.2-5.8L4 11l5.8-2.2z"
} as const

export type Icon = keyof typeof outlines

/** An icon in the colour of the text around it. Screen readers pass over it: a word stands beside it. */
export const icon = (name: Icon): Html =>
  html`<svg class="i" viewBox="0 0 24 24" aria-hidden="true"><path d="${outlines[name]}"/></svg>`

/** The sign of autopilotd: a compass needle on a dial. */
export const brand = new Html(
  '<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="9.2" fill="none" stroke="currentColor" stroke-width="1.8" opacity=".35"/><path class="dial" d="M12 2.8a9.2 9.2 0 0 1 9.2 9.2" fill="none" stroke-width="2.4" stroke-linecap="round"/><path d="M12 7l3.6 9.2L12 14.4l-3.6 1.8z" fill="currentColor"/></svg>'
)

/** How well something is, for colours; a word and an icon always say the same. */
export type Tone = "ok" | "warn" | "bad" | "off"

const icons: Readonly<Record<Tone, Icon>> = { ok: "check", warn: "wait", bad: "alert", off: "off" }

export const iconOf = (tone: Tone): Icon => icons[tone]
