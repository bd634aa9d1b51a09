const units = ["KiB", "MiB", "GiB", "TiB", "PiB"]

/** An amount of memory as a person says it, in powers of 1024: `900 bytes`, `500 MiB`, `1.5 GiB`. */
export const humanBytes = (bytes: number): string => {
  if (bytes < 1024) return `${bytes} byte${bytes === 1 ? "" : "s"}`
  let amount = bytes
  let unit = -1
  // Compared after rounding, so that one byte less than a GiB is not "1024 MiB".
  while (Math.round(amount * 10) / 10 >= 1024 && unit < units.length - 1) {
    amount /= 1024
    unit++
  }
  return `${Math.round(amount * 10) / 10} ${units[Math.max(0, unit)]}`
}
