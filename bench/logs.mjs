// How fast is a worker's output kept? A worker writes 100 MB in lines of 100 bytes, once in one write a line and once
// in writes of 64 KiB; measured is the time until the last byte is in the file. Every line must be there afterwards.
import { spawnSync } from "node:child_process"
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { install, launch } from "./kit/Autopilotd.mjs"
import { median, option, printTable, ratio, short } from "./kit/Figures.mjs"
import { startPm2 } from "./kit/Pm2.mjs"
import { cpuMsOf } from "./kit/ProcessFigures.mjs"
import { eventually, session, sleep } from "./kit/Session.mjs"

const rounds = option("rounds", 4)
const megabytes = option("megabytes", 100)
const settleMs = 300
const pollMs = 4
const modes = [
  ["line", "one write a line"],
  ["block", "64 KiB writes"]
]
const floorFolder = join(dirname(fileURLToPath(import.meta.url)), "floor")
const flood = join(floorFolder, "flood.pl")

const kibibytesOf = (pid, key) =>
  Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1])

/** The last bytes of a file. */
const endOf = (path) => {
  if (!existsSync(path)) return ""
  const { size } = statSync(path)
  const bytes = Buffer.alloc(Math.min(size, 64))
  const file = openSync(path, "r")
  readSync(file, bytes, 0, bytes.length, size - bytes.length)
  closeSync(file)
  return bytes.toString("latin1")
}

/** How many of the worker's lines are whole in the file. */
const linesIn = (path) => {
  const line = `${"abcdefghij".repeat(10).slice(0, 99)}\n`
  let count = 0
  const text = readFileSync(path, "latin1")
  for (let at = text.indexOf(line); at !== -1; at = text.indexOf(line, at + line.length)) count++
  return count
}

/** One flood through a system: MB/s, its processor time, and by how much its memory grew at most. */
const measure = async ({ name, path, pid, pipe }, mode, number) => {
  if (existsSync(path)) truncateSync(path)
  await sleep(settleMs)
  // Its highest size is counted from now on.
  writeFileSync(`/proc/${pid}/clear_refs`, "5")
  const before = { kib: kibibytesOf(pid, "VmRSS"), cpuMs: cpuMsOf(pid) }
  const begunMs = performance.now()
  appendFileSync(pipe, `${mode} ${number}\n`)
  while (!endOf(path).endsWith(`flood ${number} is over\n`)) {
    if (performance.now() - begunMs > 60_000)
      throw new Error(`${name} has not stored the end of flood ${number}`)
    await sleep(pollMs)
  }
  const seconds = (performance.now() - begunMs) / 1000
  const growthMib = (kibibytesOf(pid, "VmHWM") - before.kib) / 1024
  const cpuMs = cpuMsOf(pid) - before.cpuMs
  const missing = megabytes * 10_000 - linesIn(path)
  if (missing > 0) console.error(`${name} has lost ${missing} lines: a slow disk?`)
  return { rate: megabytes / seconds, cpuMs, growthMib, missing }
}

await session(rounds * 300_000 + 120_000, async (run) => {
  const pipeFor = (name) => {
    const path = join(run.folder, `${name}.orders`)
    if (spawnSync("mkfifo", ["-m", "600", path]).status !== 0) throw new Error(`mkfifo ${path} failed`)
    return path
  }
  const worker = (pipe) => [flood, pipe, String(megabytes)]

  const floor = (name, mode) => {
    const pipe = pipeFor(mode)
    const path = join(run.folder, `${mode}.log`)
    const child = run.start(process.execPath, [join(floorFolder, "pipe.mjs"), path, mode, ...worker(pipe)], {
      stdio: ["ignore", "ignore", "inherit"]
    })
    return { name, path, pid: child.pid, pipe }
  }

  const startOwn = async (name, project, log) => {
    const home = join(run.folder, project)
    mkdirSync(home, { mode: 0o700 })
    // No rotation within a flood: the lines are counted afterwards.
    const lines = [
      "[memory]",
      "dry_run = true",
      "[log]",
      `max_bytes = ${2 ** 32}`,
      "min_free_bytes = 0",
      ...log
    ]
    writeFileSync(join(home, "daemon.toml"), `${lines.join("\n")}\n`)
    writeFileSync(
      join(home, "env"),
      'API_KEY="sk-live-0123456789abcdef"\nDATABASE="postgres://me:secret@host/db"\n',
      {
        mode: 0o600
      }
    )
    const pipe = pipeFor(project)
    const daemon = launch(run, installed, home, ["--", ...worker(pipe)])
    await daemon.awaitStatus("running")
    return { name, path: join(home, "logs/default/worker.log"), pid: daemon.pid, pipe }
  }

  const installed = install(run)
  const systems = [
    floor("bare Node pipe", "plain"),
    floor("bare Node pipe that stamps", "stamped"),
    await startOwn("autopilotd", "own", []),
    await startOwn("autopilotd, redact = true", "redacting", ["redact = true"])
  ]
  const pipe = pipeFor("pm2")
  const pm2 = await startPm2(run, [
    { name: "flood", script: flood, args: worker(pipe).slice(1), restartDelayMs: 0 }
  ])
  const absent = []
  if (pm2.absent === undefined) {
    const path = join(pm2.home, "logs/flood-out.log")
    systems.push({ name: "pm2", path, pid: pm2.pid, pipe })
  } else absent.push(["pm2", pm2.absent])

  await eventually("the floors run", () =>
    systems.every(({ pid }) => existsSync(`/proc/${pid}`)) ? true : undefined
  )
  const found = new Map(systems.flatMap((system) => modes.map(([mode]) => [`${system.name} ${mode}`, []])))
  let number = 0
  // The first round warms up: code is compiled, and memory is what it will be.
  for (let round = -1; round < rounds; round++) {
    for (const [mode] of modes) {
      for (const system of systems) {
        const figures = await measure(system, mode, ++number)
        if (round >= 0) found.get(`${system.name} ${mode}`).push(figures)
      }
    }
  }

  const figuresOf = (name, mode, key) => found.get(`${name} ${mode}`).map((figures) => figures[key])
  for (const [mode, title] of modes) {
    const bare = median(figuresOf("bare Node pipe", mode, "rate"))
    const stamping = median(figuresOf("bare Node pipe that stamps", mode, "rate"))
    printTable(
      `\n${megabytes} MB of 100-byte lines, ${title}, ${rounds} rounds`,
      ["", "MB/s p50", "min", "max", "/ bare", "/ stamping", "cpu ms", "growth MiB", "lines lost"],
      systems.map(({ name }) => {
        const rates = figuresOf(name, mode, "rate")
        return [
          name,
          median(rates),
          Math.min(...rates),
          Math.max(...rates),
          ratio(median(rates), bare),
          ratio(median(rates), stamping),
          median(figuresOf(name, mode, "cpuMs")),
          short(Math.max(...figuresOf(name, mode, "growthMib"))),
          String(figuresOf(name, mode, "missing").reduce((a, b) => a + b, 0))
        ]
      }),
      absent
    )
  }
})
