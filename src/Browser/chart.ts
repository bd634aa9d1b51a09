import { reconnect } from "./connection.ts"
import { byId, onHtmx } from "./page.ts"

const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })

/** Shows the values at a share of the width, or hides them. Returns them in words. */
const show = (frame: Element, share: number | undefined): string => {
  const svg = frame.querySelector("svg")
  const [cross, tip, label] = frame.querySelectorAll(".cross, .tip, .tip text")
  if (svg === null || cross === undefined || tip === undefined || label === undefined) return ""
  for (const part of [cross, tip]) part.classList.toggle("on", share !== undefined)
  if (share === undefined) return ""
  const { from, points = "", to } = svg.dataset
  const span = Number(to) - Number(from)
  const shareOf = (point: string): number => (parseInt(point, 10) - Number(from)) / span
  const away = (point: string): number => Math.abs(shareOf(point) - share)
  const point = points.split(";").reduce((near, other) => (away(other) < away(near) ? other : near))
  const [at, free, held] = point.split(",")
  const width = svg.clientWidth
  const x = shareOf(point) * width
  cross.setAttribute("x1", `${x}`)
  cross.setAttribute("x2", `${x}`)
  tip.setAttribute("x", `${Math.max(0, Math.min(x - 134, width - 268))}`)
  return (label.textContent = `${clock.format(Number(at))} \u00a0${free} GiB available${held ? `, worker ${held} GiB` : ""}`)
}

/** The crosshair of the memory chart, and its ranges without loading the page again. */
export const start = (): void => {
  const frame = document.getElementById("memory-chart")
  if (frame === null) return
  let share: number | undefined
  const move = (to: number | undefined): string => show(frame, (share = to))
  frame.addEventListener("pointermove", ({ clientX }) => {
    const { left, width } = (frame.querySelector("svg") ?? frame).getBoundingClientRect()
    move((clientX - left) / width)
  })
  for (const end of ["pointerleave", "blur"]) frame.addEventListener(end, () => move(undefined))
  frame.addEventListener("keydown", ({ key }) => {
    const step = key === "ArrowLeft" ? -0.01 : key === "ArrowRight" ? 0.01 : 0
    if (step !== 0) byId("chart-said").textContent = move(Math.max(0, Math.min(1, (share ?? 1) + step)))
  })
  // The server writes "12:30 UTC" and what happened: the browser's own time replaces the first nine characters.
  onHtmx<{ fragment: ParentNode }>("oobBeforeSwap", ({ fragment }) => {
    for (const text of fragment.querySelectorAll<SVGElement>("[data-at]"))
      text.textContent = clock.format(Number(text.dataset["at"])) + text.textContent?.slice(9)
  })
  onHtmx("oobAfterSwap", () => show(frame, share))
  byId("chart-ranges").addEventListener("click", (event) => {
    const link = (event.target as Element).closest("a")
    if (link === null || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    history.pushState(null, "", link.href)
    reconnect()
  })
}
