// The faults: each does one thing to a daemon, a worker, a file or the socket, and returns when it is undone or done.
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"

const kill = (world, { pid }, signal) => {
  try {
    process.kill(pid, signal)
  } catch {
    // It ended meanwhile.
  }
}

const attempt = (act) => {
  try {
    act()
  } catch {
    // The daemon has replaced it meanwhile, or the disk is full.
  }
}

const frozen = async (world, victims) => {
  for (const victim of victims) kill(world, victim, "SIGSTOP")
  await sleep(world.random.between(50, 2500))
  for (const victim of victims) kill(world, victim, "SIGCONT")
}

const inHome = (world, ...names) => join(world.home, ...names)
const anyProject = ({ random }) => random.from(["marked", "plain"])
const stateFile = (world) => inHome(world, "state", `${anyProject(world)}.json`)

/** Whether a file of the home still has its id. The driver leaves it one: nobody could know the worker of a home without. */
const holdsId = (path, pattern) => {
  try {
    return fs.lstatSync(path).isFile() && pattern.test(fs.readFileSync(path, "latin1"))
  } catch {
    return false
  }
}
const hasId = (world) => holdsId(inHome(world, "id"), /^[0-9a-f]{16}\n$/)
const hasIdInState = (world) => {
  try {
    const names = fs.readdirSync(inHome(world, "state")).filter((name) => /\.(json|leader)$/.test(name))
    return names.some((name) =>
      holdsId(inHome(world, "state", name), /"(workerId|homeId)":"[0-9a-f]{16}[":]/)
    )
  } catch {
    return false
  }
}

/**
 * Removes a folder of a daemon that answers, and waits until that daemon has made it again, with the saved states: without
 * them no later daemon could find a worker that has no mark.
 */
const removed = async (world, folder, awaited) => {
  const workers = world.leaders().map(({ pid }) => pid)
  attempt(() => fs.rmSync(folder, { recursive: true }))
  attempt(() => fs.mkdirSync(world.home, { mode: 0o700 }))
  fs.writeFileSync(world.settingsFile, world.settings(), { mode: 0o600 })
  if (world.random.between(0, 2) < 1) world.start()
  await world.until(`${folder} is made again by the daemon with workers ${workers}`, () => {
    if (fs.existsSync(awaited)) return true
    // A stop of before ends the daemon in good order, with its workers. An end without a reason is reported where it comes.
    if (world.daemons().length === 0 && world.starts.size === 0) world.start()
    return false
  })
}

const setOpenFiles = ({ pid }, soft) =>
  spawnSync("prlimit", ["--pid", String(pid), `--nofile=${soft}:`], { encoding: "utf8" })

const garbage = ["", "{", '{"untilMs":1e17}', "\0\0\0", "[]", "null", "x".repeat(100_000)]

/** Name, weight, deed, and whether no other fault happens meanwhile and a daemon answers before. */
export const faults = [
  [
    "kill -9 of the daemon",
    6,
    (world) => {
      for (const daemon of world.daemons()) {
        world.killed.add(daemon.pid)
        kill(world, daemon, "SIGKILL")
      }
    }
  ],
  [
    "SIGTERM to the daemon",
    2,
    (world) => world.daemons().forEach((daemon) => kill(world, daemon, "SIGTERM"))
  ],
  ["the daemon is frozen", 3, (world) => frozen(world, world.daemons())],
  ["a start", 10, (world) => void world.start()],
  ["two starts at once", 2, (world) => void [world.start(), world.start("--keep-state")]],
  [
    "kill -9 of a leader",
    6,
    (world) => {
      const [leader] = world.random.shuffled(world.leaders())
      if (leader !== undefined) kill(world, leader, "SIGKILL")
    }
  ],
  ["a leader is frozen", 3, (world) => frozen(world, world.leaders())],
  ["everything is frozen", 1, (world) => frozen(world, [...world.daemons(), ...world.leaders()])],
  [
    "kill -9 of a worker's process",
    4,
    (world) => {
      const ours = world.processes().filter(({ argv }) => argv[0] === "sleep" && argv[1]?.startsWith("10000"))
      const [child] = world.random.shuffled(ours)
      if (child !== undefined) kill(world, child, "SIGKILL")
    }
  ],
  ["restart-worker", 6, (world) => world.command("restart-worker", "--project", anyProject(world))],
  [
    "stop-worker and start-worker",
    4,
    async (world) => {
      const project = anyProject(world)
      await world.command("stop-worker", "--project", project)
      await world.command("start-worker", "--no-wait", "--project", project)
    }
  ],
  ["switch", 2, (world) => world.command("switch", anyProject(world))],
  ["stop", 2, (world) => world.command("stop")],
  [
    "requests without waiting",
    6,
    async (world) => {
      const types = ["RestartWorker", "StopWorker", "StartWorker", "Status", "Projects", "ReloadConfig"]
      const asked = Array.from({ length: 6 }, () => ({
        type: world.random.from(types),
        project: anyProject(world)
      }))
      await Promise.all(asked.map((request) => world.ask(request)))
    }
  ],
  [
    "garbage on the socket",
    3,
    (world) => world.ask(world.random.from(["", "{", "\0", '"x"', "{}\n{}", "[".repeat(50_000)]))
  ],
  ["the lock file is removed", 1, (world) => attempt(() => fs.rmSync(inHome(world, "autopilotd.lock")))],
  ["the socket is removed", 2, (world) => attempt(() => fs.rmSync(inHome(world, "autopilotd.sock")))],
  [
    "the PID file is wrong",
    2,
    (world) =>
      attempt(() =>
        fs.writeFileSync(inHome(world, "autopilotd.pid"), world.random.from(["", "1", "garbage", "999999"]))
      )
  ],
  [
    "the id is removed or garbage",
    2,
    (world) =>
      attempt(() => {
        if (!hasIdInState(world)) return
        const path = inHome(world, "id")
        if (world.random.between(0, 2) < 1) fs.rmSync(path)
        else fs.writeFileSync(path, world.random.from(garbage))
      })
  ],
  [
    "a state file is garbage",
    3,
    (world) =>
      attempt(() => {
        if (!hasId(world)) return
        const path = stateFile(world)
        // Opening the pipe that another fault has left would hang this driver.
        fs.rmSync(path, { force: true })
        fs.writeFileSync(path, world.random.from(garbage))
      })
  ],
  [
    "a state file is a fifo",
    1,
    (world) =>
      attempt(() => {
        if (!hasId(world)) return
        const path = stateFile(world)
        fs.rmSync(path, { force: true })
        world.fifo(path)
      })
  ],
  [
    "state/ is removed",
    1,
    (world) => removed(world, inHome(world, "state"), inHome(world, "state", "plain.json")),
    "alone"
  ],
  [
    "the home is removed",
    2,
    (world) => removed(world, world.home, inHome(world, "state", "plain.json")),
    "alone"
  ],
  [
    "no descriptor is free in the daemon",
    2,
    async (world) => {
      // Not a start on its way: Node itself fails without descriptors before it has read the program.
      const victims = world
        .daemons()
        .filter(({ pid }) => holdsId(inHome(world, "autopilotd.pid"), new RegExp(`^${pid}$`)))
      for (const victim of victims) setOpenFiles(victim, world.random.between(3, 40))
      await sleep(world.random.between(100, 3000))
      for (const victim of victims) setOpenFiles(victim, 4096)
    }
  ],
  ["logs/ is removed", 1, (world) => attempt(() => fs.rmSync(inHome(world, "logs"), { recursive: true }))],
  [
    "the history is torn",
    1,
    (world) =>
      attempt(() => {
        const path = inHome(world, "history.jsonl")
        fs.truncateSync(path, Math.max(0, fs.statSync(path).size - world.random.between(1, 200)))
      })
  ],
  [
    "the disk is full",
    2,
    async (world) => {
      const path = inHome(world, "filler")
      attempt(() => {
        for (;;) fs.appendFileSync(path, Buffer.alloc(65_536))
      })
      await sleep(world.random.between(200, 3000))
      fs.rmSync(path, { force: true })
    }
  ],
  [
    "the settings are written in two steps",
    2,
    async (world) => {
      const text = world.settings(world.random.between(100, 600))
      fs.writeFileSync(world.settingsFile, text.slice(0, text.indexOf("[projects.plain]")))
      await sleep(world.random.between(0, 300))
      fs.writeFileSync(world.settingsFile, text)
      await world.command("reload")
    }
  ],
  [
    "the settings are not valid for a moment",
    2,
    async (world) => {
      fs.writeFileSync(world.settingsFile, "restart = 5\n[[")
      await world.command("reload")
      fs.writeFileSync(world.settingsFile, world.settings())
    }
  ]
]
