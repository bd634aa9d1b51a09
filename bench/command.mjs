// What does a command cost that a person or a script types? Wall time, time on a core and the most memory held.
import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { install, startDaemon } from "./kit/Autopilotd.mjs"
import { median, option, printTable, quantile, ratio } from "./kit/Figures.mjs"
import { startPm2 } from "./kit/Pm2.mjs"
import { session } from "./kit/Session.mjs"

const rounds = option("rounds", 15)
const warmUps = 2
const floorFolder = join(dirname(fileURLToPath(import.meta.url)), "floor")
const worker = join(floorFolder, "worker.sh")

await session(rounds * 30_000 + 120_000, async (run) => {
  const { bundle, launcher } = install(run)
  const { home, socket } = await startDaemon(run, { launcher }, { name: "home", worker: [worker, ""] })
  const pm2 = await startPm2(run, [{ name: "sleeps", script: worker, args: [""], restartDelayMs: 0 }])
  // A home whose settings are checked, with every table in use.
  const checked = join(run.folder, "checked")
  mkdirSync(checked)
  writeFileSync(
    join(checked, "daemon.toml"),
    `project = "p"\n[worker_command]\ntype = "Binary"\npath = "${worker}"\n[memory]\npoll_interval_ms = 5000\n[restart]\njitter = 0.1\n[env]\nA = "b"\n`
  )

  // The launcher keeps NODE_OPTIONS for the worker, so what measures is loaded by a node of its own on the PATH, by all.
  const tools = join(run.folder, "tools")
  mkdirSync(tools)
  const node = join(tools, "node")
  const measured = `#!/bin/sh\nexec "${process.execPath}" --require="${join(floorFolder, "usage.cjs")}" "$@"\n`
  writeFileSync(node, measured, { mode: 0o755 })
  const systems = [
    ["node -e 0", node, ["-e", "0"]],
    ["bare Node client", node, [join(floorFolder, "client.mjs"), socket]],
    ["autopilotd status", launcher, ["status"]],
    ["node autopilotd.js status", node, [bundle, "status"]],
    ["autopilotd status --json", launcher, ["status", "--json"]],
    ["autopilotd --version", launcher, ["--version"]],
    ["autopilotd --help", launcher, ["--help"]],
    ["autopilotd config check", launcher, ["config", "check"], { AUTOPILOT_HOME: checked }],
    ...(pm2.absent === undefined ? [["pm2 jlist", node, [pm2.command, "jlist"], pm2.env]] : [])
  ].map(([name, command, args, env]) => ({ name, command, args, env, wallMs: [], cpuMs: [], maxRssMib: [] }))

  const usageFile = join(run.folder, "usage")
  const once = ({ args, command, env, name }) => {
    writeFileSync(usageFile, "")
    const startedMs = performance.now()
    const { status, stderr } = spawnSync(command, args, {
      cwd: run.folder,
      env: {
        ...process.env,
        AUTOPILOT_HOME: home,
        ...env,
        BENCH_USAGE: usageFile,
        PATH: `${tools}:${process.env.PATH}`
      },
      encoding: "utf8",
      timeout: 30_000
    })
    const wallMs = performance.now() - startedMs
    if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`)
    return { wallMs, ...JSON.parse(readFileSync(usageFile, "utf8").trim().split("\n").at(-1)) }
  }
  for (let round = -warmUps; round < rounds; round++) {
    for (const system of systems) {
      const { cpuMs, maxRssMib, wallMs } = once(system)
      if (round < 0) continue
      system.wallMs.push(wallMs)
      system.cpuMs.push(cpuMs)
      system.maxRssMib.push(maxRssMib)
    }
  }

  const [floor] = systems
  const rows = systems.map(({ cpuMs, maxRssMib, name, wallMs }) => [
    name,
    median(wallMs),
    `${quantile(wallMs, 0.25).toFixed(0)}-${quantile(wallMs, 0.75).toFixed(0)}`,
    ratio(median(wallMs), median(floor.wallMs)),
    median(cpuMs),
    ratio(median(cpuMs), median(floor.cpuMs)),
    median(maxRssMib)
  ])
  printTable(
    `Commands, ${rounds} rounds, interleaved, medians.`,
    ["", "wall ms", "p25-p75", "/ floor", "cpu ms", "/ floor", "max RSS MiB"],
    rows,
    pm2.absent === undefined ? [] : [["pm2 jlist", pm2.absent]]
  )
})
