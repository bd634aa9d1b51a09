import { byId, find, on, onHtmx } from "./page.ts"
import { clock } from "./times.ts"

/** Shows the values at a share of the width, or hides them. Returns them in words. */
const show = (frame: Element, share: number | undefined): string => {
  const svg = frame.querySelector("svg")
  const [cross, tip, label] = frame.querySelectorAll(".cross, .tip, .tip text")
  if (!svg || !cross || !tip || !label) return ""
  for (const part of [cross, tip]) part.classList.toggle("on", share !== undefined)
  if (share === undefined) return ""
  const { from, points = "", to } = svg.dataset
  const shareOf = (point: string): number =>
    (parseInt(point, 10) - Number(from)) / (Number(to) - Number(from))
  const away = (point: string): number => Math.abs(shareOf(point) - share)
  const point = points.split(";").reduce((near, other) => (away(other) < away(near) ? other : near))
  const [at, free, held] = point.split(",")
  const width = svg.clientWidth
  const x = shareOf(point) * width
  for (const end of ["x1", "x2"]) cross.setAttribute(end, `${x}`)
  tip.setAttribute("x", `${Math.max(0, Math.min(x - 134, width - 268))}`)
  return (label.textContent = `${clock.format(Number(at))} \u00a0${free} GiB available${held ? `, worker ${held} GiB` : ""}`)
}

/** The crosshair of the memory chart, and the times of charts in the browser's zone. */
export const start = (): void => {
  const frame = find("memory-chart")
  if (!frame) return
  let share: number | undefined
  const move = (to?: number): string => show(frame, (share = to))
  on(frame, "pointermove", ({ clientX }) => {
    const { left, width } = (frame.querySelector("svg") ?? frame).getBoundingClientRect()
    move((clientX - left) / width)
  })
  for (const end of ["pointerleave", "blur"] as const) on(frame, end, () => move())
  on(frame, "keydown", ({ key }) => {
    const step = { ArrowLeft: -0.01, ArrowRight: 0.01 }[key]
    if (step) byId("chart-said").textContent = move(Math.max(0, Math.min(1, (share ?? 1) + step)))
  })
  // The server writes "12:30 UTC" and what happened: the browser's own time replaces the first nine characters.
  onHtmx<{ fragment: ParentNode }>("oobBeforeSwap", ({ fragment }) => {
    for (const text of fragment.querySelectorAll<SVGElement>("[data-at]"))
      text.textContent = clock.format(Number(text.dataset["at"])) + text.textContent?.slice(9)
  })
  onHtmx("oobAfterSwap", () => show(frame, share))
}
