// The least that Node could do to find the largest process: one short file of each, into one buffer. It says "scan" for
// each look at all of /proc; how often it looks is its argument, in milliseconds.
import { closeSync, openSync, readdirSync, readSync, writeSync } from "node:fs"

const buffer = Buffer.allocUnsafeSlow(4096)

const residentPages = (pid) => {
  let descriptor
  try {
    descriptor = openSync(`/proc/${pid}/statm`, "r")
    readSync(descriptor, buffer, 0, buffer.length, null)
    let at = buffer.indexOf(32) + 1
    let pages = 0
    for (let digit = buffer[at]; digit >= 48; digit = buffer[++at]) pages = pages * 10 + digit - 48
    return pages
  } catch {
    return 0 // gone meanwhile
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

setInterval(() => {
  let largest = 0
  for (const name of readdirSync("/proc")) {
    if (name.charCodeAt(0) <= 57) largest = Math.max(largest, residentPages(name))
  }
  writeSync(2, `scan ${largest}\n`)
}, Number(process.argv[2]))
