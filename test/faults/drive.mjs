// Random faults, for as long as wanted: `npm run faults -- [--seconds 120] [--seed N]`. Daemons, workers and files are
// killed, frozen, removed, damaged and filled, several at once, in a PID and a mount namespace of their own; meanwhile and
// afterwards the promises of promises.mjs must hold. The same seed makes the same choices, though not the same timing.
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { parseArgs } from "node:util"
import { faults } from "./faults.mjs"
import { checkEnd, checkNow, checkQuiet } from "./promises.mjs"
import { makeWorld, print } from "./world.mjs"

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "120" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    // Set by this program for itself, within the namespaces.
    root: { type: "string" }
  }
})

if (values.root === undefined) {
  const root = fs.mkdtempSync(join(tmpdir(), "apd-faults-"))
  const namespaces = ["--pid", "--mount", "--propagation=private", "--fork", "--kill-child", "--mount-proc"]
  // The shell is the first process there: it reaps orphans, and all ends with it.
  const within = ["sh", "-c", '"$@" & wait $!', "sh", process.execPath, import.meta.filename, "--root", root]
  const { status } = spawnSync(
    "unshare",
    [...namespaces, ...within, "--seconds", values.seconds, "--seed", values.seed],
    { stdio: "inherit" }
  )
  fs.rmSync(root, { recursive: true, force: true })
  process.exit(status ?? 1)
}

/** Mulberry32: small, and the same numbers for the same seed. */
const makeRandom = (seed) => {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (low, high) => low + next() * (high - low)
  return {
    between: (low, high) => Math.floor(between(low, high)),
    from: (list) => list[Math.floor(between(0, list.length))],
    shuffled: (list) =>
      list
        .map((one) => [next(), one])
        .toSorted(([a], [b]) => a - b)
        .map(([, one]) => one)
  }
}

print(`Random faults for ${values.seconds} seconds, seed ${values.seed}`)
const random = makeRandom(Number(values.seed))
const world = makeWorld(values.root, random)
const own = [1, process.pid]
const lot = faults.flatMap(([name, weight, ...rest]) => Array.from({ length: weight }, () => [name, ...rest]))
const deeds = new Map()
const running = new Set()

const answers = async () => {
  if ((await world.ask({ type: "Status" })) !== undefined) return true
  if (world.starts.size === 0) world.start()
  await sleep(500)
  return false
}

/** Begins a fault. Returns when it is undone only for one that happens alone. */
const act = async () => {
  const [name, deed, isAlone] = random.from(lot)
  if (isAlone !== undefined) {
    await Promise.all(running)
    await world.until("a daemon answers", answers)
  }
  deeds.set(name, (deeds.get(name) ?? 0) + 1)
  if (process.env["AUTOPILOTD_FAULTS_VERBOSE"]) print(`${new Date().toISOString()} ${name}`)
  const done = Promise.resolve(deed(world))
    .catch((cause) => world.report(`the fault "${name}" failed: ${cause?.stack}`))
    .finally(() => running.delete(done))
  running.add(done)
  if (isAlone !== undefined) await done
}

const watch = setInterval(() => checkNow(world), 100)

/** Waits until all faults are undone and a daemon runs, and checks what is to be true then. */
const settle = async () => {
  await Promise.all(running)
  fs.writeFileSync(world.settingsFile, world.settings())
  await world.until("a daemon runs", answers)
  await world.command("reload")
  await checkQuiet(world)
}

const endMs = Date.now() + Number(values.seconds) * 1000
world.start()
while (Date.now() < endMs && world.problems.length === 0) {
  const roundEndMs = Math.min(endMs, Date.now() + 15_000)
  while (Date.now() < roundEndMs && world.problems.length === 0) {
    for (let count = random.from([1, 1, 1, 2, 3, 6]); count > 0; count--) {
      await act()
      await sleep(random.from([0, 0, 2, 10]))
    }
    await sleep(random.between(50, 900))
  }
  await settle()
}
clearInterval(watch)
await checkEnd(world, own)
const runs = fs.readFileSync(`${world.ledger}/runs`, "utf8").trim().split("\n").length
print(`${[...deeds].map(([name, count]) => `${name}: ${count}`).join(", ")}. ${runs} runs of workers.`)
if (world.problems.length > 0) {
  const log = `${world.home}/logs/autopilotd.log`
  if (fs.existsSync(log)) print(fs.readFileSync(log, "utf8").split("\n").slice(-60).join("\n"))
  print(`${world.problems.length} promises did not hold. Again: npm run faults -- --seed ${values.seed}`)
} else print("Every promise held.")
process.exit(world.problems.length === 0 ? 0 : 1)
