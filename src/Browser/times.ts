/** Durations as the server writes them (`humanDuration`), for those that run on without a message. */
const duration = (ms: number): string => {
  const seconds = Math.max(0, Math.round(ms / 1000))
  const [minutes, hours, days] = [60, 3600, 86_400].map((unit) => Math.floor(seconds / unit)) as [
    number,
    number,
    number
  ]
  return days
    ? `${days} d ${hours % 24} h`
    : hours
      ? `${hours} h ${`${minutes % 60}`.padStart(2, "0")} min`
      : minutes
        ? `${minutes} min ${seconds % 60} s`
        : `${seconds} second${seconds === 1 ? "" : "s"}`
}

const formatOf = (parts: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...parts })

/** Hours and minutes. */
export const clock = formatOf({})
const withSeconds = formatOf({ second: "2-digit" })
const withDay = formatOf({ day: "numeric", month: "short" })

/** Shows the times below an element in the browser's zone, with UTC on hover. */
export const localise = (root: ParentNode): void => {
  for (const element of root.querySelectorAll<HTMLTimeElement>("time[datetime]:not([title])")) {
    const at = new Date(element.dateTime)
    const isToday = at.toDateString() === new Date().toDateString()
    element.title = `${element.dateTime.slice(0, 19).replace("T", " ")} UTC`
    element.textContent = (isToday || element.dataset["style"] === "clock" ? withSeconds : withDay).format(at)
  }
}

/** Counts what runs on: uptimes, and the time until the next start. */
const tick = (): void => {
  const nowMs = Date.now()
  for (const element of document.querySelectorAll<HTMLTimeElement>("time[data-since], time[data-until]")) {
    const { since, until } = element.dataset
    const text = duration(since ? nowMs - Number(since) : Number(until) - nowMs)
    if (element.textContent !== text) element.textContent = text
  }
}

export const start = (): void => {
  localise(document)
  setInterval(tick, 1000)
}
