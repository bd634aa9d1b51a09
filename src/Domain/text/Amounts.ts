/** Counts things in words: `1 turn`, `12 turns`. */
export const counted = (count: number, noun: string, plural = `${noun}s`): string =>
  `${count} ${count === 1 ? noun : plural}`

const units = ["KiB", "MiB", "GiB", "TiB", "PiB"]

/** Formats bytes in powers of 1024: `900 bytes`, `500 MiB`, `1.5 GiB`. */
export const humanBytes = (bytes: number): string => {
  if (bytes < 1024) return counted(bytes, "byte")
  let amount = bytes
  let unit = -1
  // Compared after rounding, so that one byte less than a GiB is not "1024 MiB".
  while (Math.round(amount * 10) / 10 >= 1024 && unit < units.length - 1) {
    amount /= 1024
    unit++
  }
  return `${Math.round(amount * 10) / 10} ${units[Math.max(0, unit)]}`
}

/** Formats a duration in milliseconds: `0.4 seconds`, `1 second`, `5 min 20 s`, `2 h 03 min`, `3 d 4 h`. */
export const humanDuration = (durationMs: number): string => {
  if (durationMs > 0 && durationMs < 950) return `${Math.max(0.1, Math.round(durationMs / 100) / 10)} seconds`
  const seconds = Math.round(durationMs / 1000)
  if (seconds < 60) return counted(seconds, "second")
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60)
    return seconds % 60 === 0 ? counted(minutes, "minute") : `${minutes} min ${seconds % 60} s`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** Formats US dollars. Amounts below ten cents have four decimals: a short run costs less than a cent. */
export const dollars = (amount: number): string => `$${amount.toFixed(amount > 0 && amount < 0.1 ? 4 : 2)}`

/** The wire has whole millionths of a US dollar. A sum of an agent's figures may be no number that it can say. */
export const microDollars = (usd: number): number =>
  Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.round(usd * 1e6)))

/** Formats millionths of a US dollar. */
export const ofMicroDollars = (amount: number): string => dollars(amount / 1e6)

/** Counts processes and names them: `1 process (pid 12)`, `3 processes (pid 12, 13, 14)`. */
export const processes = (pids: ReadonlyArray<number>): string =>
  `${counted(pids.length, "process", "processes")} (pid ${pids.join(", ")})`
