// The floor: the least that Node must do to keep what a command says. Arguments: a file, "plain" or "stamped", the
// command. Its output goes through a pipe into the file, stamped: with the time before each line.
import { spawn } from "node:child_process"
import { createWriteStream } from "node:fs"
import { Transform } from "node:stream"

const [path, mode, command, ...args] = process.argv.slice(2)
const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] })
const file = createWriteStream(path, { flags: "a" })
const newline = 0x0a

/** Straightforward, and correct for lines that come in pieces. */
const stamp = () => {
  let isAtStart = true
  return new Transform({
    transform(chunk, _encoding, done) {
      const before = Buffer.from(`${new Date().toISOString()} out `)
      const pieces = []
      for (let from = 0; from < chunk.length; ) {
        const at = chunk.indexOf(newline, from)
        const end = at === -1 ? chunk.length : at + 1
        if (isAtStart) pieces.push(before)
        pieces.push(chunk.subarray(from, end))
        isAtStart = at !== -1
        from = end
      }
      done(null, Buffer.concat(pieces))
    }
  })
}

if (mode === "stamped") child.stdout.pipe(stamp()).pipe(file)
else child.stdout.pipe(file)
process.once("SIGTERM", () => {
  child.kill("SIGTERM")
  child.once("exit", () => process.exit(0))
})
