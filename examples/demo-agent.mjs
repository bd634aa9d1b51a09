#!/usr/bin/env node
// A stand-in for an AI agent, to watch autopilotd with: it takes turns, grows, and crashes after 12 to 20 seconds. It
// never finishes by itself. Asked to end (SIGTERM), it ends in good order.

const firstStepMs = 300
const stepIntervalMs = 1500
const crashAfterMs = 12_000 + Math.random() * 8_000

/** What an agent would do in a turn. */
const deeds = [
  "reads src/cart.ts",
  "greps for calculateTotal",
  "edits src/cart.ts: rounds each line before the sum",
  "runs the tests: 41 passed, 2 failed",
  "reads the failing test again",
  "edits test/cart.test.ts",
  "runs the tests: 43 passed",
  "commits: Round each line of the cart"
]

/** Bytes that are written, because memory that nobody has touched is not there. Kept for ever: this is the leak. */
const context = []
const grow = () => context.push(Buffer.alloc(2 * 1024 * 1024, 1))

const crashes = [
  () => {
    throw new Error("the context does not fit the window any more")
  },
  () => {
    console.error("fatal: the connection to the model was reset")
    process.exit(70)
  },
  () => process.kill(process.pid, "SIGSEGV")
]

const oneOf = (choices) => choices[Math.floor(Math.random() * choices.length)]

let turn = 0
const step = () => {
  grow()
  const megabytes = Math.round(process.memoryUsage.rss() / 2 ** 20)
  console.log(`turn ${turn + 1}: ${deeds[turn % deeds.length]} (${megabytes} MB)`)
  turn++
}

process.on("SIGTERM", () => {
  console.log(`asked to end after ${turn} turns: notes saved`)
  process.exit(0)
})

console.log(`agent ${process.pid} begins`)
setTimeout(step, firstStepMs)
setInterval(step, stepIntervalMs)
setTimeout(() => oneOf(crashes)(), crashAfterMs)
