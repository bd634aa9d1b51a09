const unit = (amount: number, name: string): string => `${amount} ${name}${amount === 1 ? "" : "s"}`

/** A duration in milliseconds as a person says it: `0.4 seconds`, `1 second`, `5 min 20 s`, `2 h 03 min`, `3 d 4 h`. */
export const humanDuration = (durationMs: number): string => {
  if (durationMs > 0 && durationMs < 950) return `${Math.max(0.1, Math.round(durationMs / 100) / 10)} seconds`
  const seconds = Math.round(durationMs / 1000)
  if (seconds < 60) return unit(seconds, "second")
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return seconds % 60 === 0 ? unit(minutes, "minute") : `${minutes} min ${seconds % 60} s`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}
