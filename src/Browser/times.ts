/** Durations as the server writes them (`humanDuration`), for those that run on without a message. */
const duration = (ms: number): string => {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} second${seconds === 1 ? "" : "s"}`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

const clock = new Intl.DateTimeFormat([], {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23"
})
const day = new Intl.DateTimeFormat([], {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23"
})

/** Shows the times below an element in the browser's zone, with UTC on hover. */
export const localise = (root: ParentNode): void => {
  for (const element of root.querySelectorAll<HTMLTimeElement>("time[datetime]:not([title])")) {
    const at = new Date(element.dateTime)
    const isToday = at.toDateString() === new Date().toDateString()
    element.title = `${element.dateTime.slice(0, 19).replace("T", " ")} UTC`
    element.textContent = (isToday || element.dataset["style"] === "clock" ? clock : day).format(at)
  }
}

/** Counts what runs on: uptimes, and the time until the next start. */
const tick = (): void => {
  const nowMs = Date.now()
  for (const element of document.querySelectorAll<HTMLTimeElement>("time[data-since], time[data-until]")) {
    const { since, until } = element.dataset
    const ms = since === undefined ? Number(until) - nowMs : nowMs - Number(since)
    const text = duration(ms)
    if (element.textContent !== text) element.textContent = text
  }
}

export const start = (): void => {
  localise(document)
  setInterval(tick, 1000)
}
