// A /proc/meminfo of a benchmark's own, for those who are started with it.
import { chmodSync, openSync, writeSync } from "node:fs"
import { join } from "node:path"

const kib = (mib) => String(Math.round(mib * 1024)).padStart(12)

/** Always of the same length, for it is written over while others read it. */
const text = (totalMib, availableMib) =>
  [
    ["MemTotal", totalMib],
    ["MemFree", availableMib],
    ["MemAvailable", availableMib],
    ["Buffers", 0],
    ["Cached", 0],
    ["AnonPages", totalMib - availableMib],
    ["SwapTotal", 0],
    ["SwapFree", 0]
  ]
    .map(([name, mib]) => `${name}: ${kib(mib)} kB\n`)
    .join("")

/**
 * `is` says how much is available; `by` makes of a command one that sees it, in a mount namespace of its own and with
 * the same pid. Throws the reason where there can be none.
 */
export const ownMeminfo = ({ folder }, { availableMib, name, totalMib }) => {
  if (process.getuid() !== 0) throw new Error("only root can give a process a /proc/meminfo of its own")
  const path = join(folder, `meminfo-${name}`)
  const descriptor = openSync(path, "w+", 0o644)
  chmodSync(folder, 0o755)
  const is = (mib) => void writeSync(descriptor, text(totalMib, mib), 0)
  is(availableMib)
  const script = 'mount --bind "$1" /proc/meminfo && shift && exec "$@"'
  return {
    is,
    by: (command, args) => [
      "unshare",
      ["--mount", "--propagation=private", "sh", "-c", script, "sh", path, command, ...args]
    ]
  }
}
