// The floor: the least that Node must do to know how much memory there is. Argument: the interval in ms.
import { openSync, readSync } from "node:fs"

const buffer = Buffer.allocUnsafeSlow(8192)
const descriptor = openSync("/proc/meminfo", "r")
const line = /^MemAvailable: +([0-9]+) kB$/m

setInterval(() => {
  const text = buffer.toString("latin1", 0, readSync(descriptor, buffer, 0, buffer.length, 0))
  if (!(Number(line.exec(text)?.[1]) > 0)) throw new Error("/proc/meminfo does not say what is available")
}, Number(process.argv[2]))
