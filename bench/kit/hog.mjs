// Holds 100 MiB until it is told to end, and says when that was, as process.hrtime counts. The pipe is its own.
import { writeFileSync, writeSync } from "node:fs"

// Whichever Node this is.
writeFileSync("/proc/self/comm", "hog")
const held = Buffer.alloc(100 * 2 ** 20, 1)
process.once("SIGTERM", () => {
  writeSync(1, `${process.hrtime.bigint()}\n`)
  process.exit()
})
writeSync(1, `${held.length}\n`)
setInterval(() => held, 2 ** 31 - 1)
