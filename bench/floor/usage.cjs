// Loaded into every command that command.mjs measures: at its exit it tells what it has used.
const { appendFileSync } = require("node:fs")

process.on("exit", () => {
  const { maxRSS, systemCPUTime, userCPUTime } = process.resourceUsage()
  const cpuMs = (systemCPUTime + userCPUTime) / 1000
  appendFileSync(process.env.BENCH_USAGE, `${JSON.stringify({ cpuMs, maxRssMib: maxRSS / 1024 })}\n`)
})
