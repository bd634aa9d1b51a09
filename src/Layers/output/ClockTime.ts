const two = (n: number): string => String(n).padStart(2, "0")

/**
 * Formats a time in the zone of this process: `14:02`, or `2026-11-20 14:02` on another day. It loads no library, for
 * commands that answer at once.
 */
export const clockTime = (atMs: number, nowMs: number): string => {
  const [at, now] = [new Date(atMs), new Date(nowMs)]
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`
  return at.toDateString() === now.toDateString()
    ? time
    : `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`
}
