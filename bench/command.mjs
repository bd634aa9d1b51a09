// What does a command cost that a person or a script types? Wall time, time on a core and the most memory held, on each
// release of Node that is supported.
import { spawnSync } from "node:child_process"
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { install, startDaemon } from "./kit/Autopilotd.mjs"
import { median, option, printTable, quantile, ratio } from "./kit/Figures.mjs"
import { supportedNodes } from "./kit/Nodes.mjs"
import { startPm2 } from "./kit/Pm2.mjs"
import { session } from "./kit/Session.mjs"

const rounds = option("rounds", 11)
const warmUps = 2
const floorFolder = join(dirname(fileURLToPath(import.meta.url)), "floor")
const worker = join(floorFolder, "worker.sh")

/** [command, its floor, the goal]: what talks to the daemon is held against a bare client, all else against a Node. */
const commands = [
  ["status", "client", 1.15],
  ["projects", "client", 1.15],
  ["start-worker", "client", 1.15],
  ["reload", "client", 1.15],
  ["--version", "node", 1.3],
  ["--help", "node", 1.3],
  ["config check", "node", 2],
  ["logs", "node", 2],
  ["history", "node", 2],
  ["why", "node", 2],
  ["doctor", "node", 2]
]

await session(rounds * 60_000 + 300_000, async (run) => {
  const { launcher } = install(run)
  const { home, socket } = await startDaemon(run, { launcher }, { name: "home", worker: [worker, ""] })
  const pm2 = await startPm2(run, [{ name: "sleeps", script: worker, args: [""], restartDelayMs: 0 }])

  const usageFile = join(run.folder, "usage")
  const once = ({ args, command, env, name, path }) => {
    writeFileSync(usageFile, "")
    const startedMs = performance.now()
    const { status, stderr } = spawnSync(command, args, {
      cwd: run.folder,
      env: {
        ...process.env,
        AUTOPILOT_HOME: home,
        ...env,
        BENCH_USAGE: usageFile,
        PATH: `${path}:${process.env.PATH}`
      },
      encoding: "utf8",
      timeout: 30_000
    })
    const wallMs = performance.now() - startedMs
    // doctor exits with the worst of what it has found on this machine.
    if (status !== 0 && args[0] !== "doctor") throw new Error(`${name} ended with ${status}: ${stderr}`)
    return { wallMs, ...JSON.parse(readFileSync(usageFile, "utf8").trim().split("\n").at(-1)) }
  }

  const nodes = supportedNodes()
  const absent = nodes.filter((node) => node.absent !== undefined).map(({ absent, name }) => [name, absent])
  if (pm2.absent !== undefined) absent.push(["pm2", pm2.absent])
  for (const [at, { name: release, path: executable }] of nodes.filter(({ path }) => path).entries()) {
    // The launcher keeps NODE_OPTIONS for the worker, so what measures is loaded by a node of its own on the PATH, by all.
    const path = join(run.folder, `tools${at}`)
    mkdirSync(path)
    const node = join(path, "node")
    writeFileSync(
      node,
      `#!/bin/sh\nexec "${executable}" --require="${join(floorFolder, "usage.cjs")}" "$@"\n`
    )
    chmodSync(node, 0o755)
    const peer = pm2.absent === undefined && at === 0
    const systems = [
      ["node -e 0", node, ["-e", "0"], "node"],
      ["bare Node client", node, [join(floorFolder, "client.mjs"), socket], "client"],
      ...commands.map(([words, floor, goal]) => [
        `autopilotd ${words}`,
        launcher,
        words.split(" "),
        floor,
        goal
      ]),
      ...(peer ? [["pm2 jlist", node, [pm2.command, "jlist"], "client", undefined, pm2.env]] : [])
    ].map(([name, command, args, floor, goal, env]) => {
      const figures = { wallMs: [], cpuMs: [], maxRssMib: [] }
      return { name, command, args, floor, goal, env, path, ...figures }
    })
    for (let round = -warmUps; round < rounds; round++) {
      for (const system of systems) {
        const { cpuMs, maxRssMib, wallMs } = once(system)
        if (round < 0) continue
        system.wallMs.push(wallMs)
        system.cpuMs.push(cpuMs)
        system.maxRssMib.push(maxRssMib)
      }
    }
    const floors = { node: systems[0], client: systems[1] }
    const timesFloor = ({ floor, wallMs }) => median(wallMs) / median(floors[floor].wallMs)
    printTable(
      `Commands on ${release}: ${rounds} rounds, interleaved, medians. Commands that talk to the daemon are held against the bare client.`,
      ["", "wall ms", "p25-p75", "/ floor", "goal", "cpu ms", "max RSS MiB"],
      systems.map((system) => [
        system.name,
        median(system.wallMs),
        `${quantile(system.wallMs, 0.25).toFixed(0)}-${quantile(system.wallMs, 0.75).toFixed(0)}`,
        ratio(timesFloor(system), 1),
        system.goal === undefined ? "" : `<= ${system.goal}x`,
        median(system.cpuMs),
        median(system.maxRssMib)
      ]),
      absent
    )
    console.log("")
  }
})
