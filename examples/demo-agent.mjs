#!/usr/bin/env node
// A stand-in for an AI agent, for the demo of autopilotd: it takes turns, leaks memory, and crashes after 12 to 20
// seconds. It never finishes by itself. On SIGTERM it exits with success.

const firstStepMs = 300
const stepIntervalMs = 1500
const crashAfterMs = 12_000 + Math.random() * 8_000

/** One line a turn. */
const turns = [
  "reads src/cart.ts",
  "greps for calculateTotal",
  "edits src/cart.ts: rounds each line before the sum",
  "runs the tests: 41 passed, 2 failed",
  "reads the failing test again",
  "edits test/cart.test.ts",
  "runs the tests: 43 passed",
  "commits: Round each line of the cart"
]

/** The leak: 2 MiB a turn, filled, because the kernel commits a page only when it is written. */
const context = []
const grow = () => context.push(Buffer.alloc(2 * 1024 * 1024, 1))

const crashes = [
  () => {
    console.error("Error: the context no longer fits the window")
    process.exit(1)
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
  console.log(`turn ${turn + 1}: ${turns[turn % turns.length]} (${megabytes} MB)`)
  turn++
}

process.on("SIGTERM", () => {
  console.log(`SIGTERM after ${turn} turns: notes saved`)
  process.exit(0)
})

console.log(`agent ${process.pid} starts`)
setTimeout(step, firstStepMs)
setInterval(step, stepIntervalMs)
setTimeout(() => oneOf(crashes)(), crashAfterMs)
