// What does --host cost, beside ssh itself? A first command opens a connection, the next within a minute share it.
import { spawn, spawnSync } from "node:child_process"
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { install } from "./kit/Autopilotd.mjs"
import { median, option, printTable, quantile, ratio } from "./kit/Figures.mjs"
import { endChild, eventually, session } from "./kit/Session.mjs"

const rounds = option("rounds", 15)
const warmUps = 2
const bedScript = join(dirname(fileURLToPath(import.meta.url)), "../test/live/remote/bed.sh")

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

await session(rounds * 30_000 + 120_000, async (run) => {
  const { launcher } = install(run)
  chmodSync(run.folder, 0o755)
  const bed = join(run.folder, "bed")
  mkdirSync(bed)
  const port = await freePort()
  // As root: an sshd of its own, in namespaces of its own. What the tests use.
  const sshd = spawn(
    "unshare",
    ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", bedScript, bed, String(port), launcher],
    { stdio: ["ignore", "ignore", "pipe"] }
  )
  run.atEnd(() => endChild(sshd))
  let said = ""
  sshd.stderr.on("data", (bytes) => {
    said += bytes
  })
  await eventually("sshd listens", () => {
    if (sshd.exitCode !== null) throw new Error(`sshd has ended: ${said}`)
    return /Server listening/.test(said) ? true : undefined
  })

  // An installed launcher, which knows its Node, and a program that does nothing.
  const home = (name, script) => {
    const path = join(bed, name)
    mkdirSync(join(path, "bin"), { recursive: true })
    writeFileSync(join(path, "bin/autopilotd"), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    return `ssh://bash${path}`
  }
  const installed = home("installed", `PATH=${bed}/nvm/bin:$PATH\nexec ${launcher} "$@"`)
  const empty = home("empty", "exit 0")

  const env = {
    ...process.env,
    PATH: `${join(bed, "bin")}:${process.env.PATH}`,
    XDG_RUNTIME_DIR: join(bed, "run"),
    AUTOPILOT_HOME: join(bed, "here")
  }
  const runs = (command, args) => {
    const startedMs = performance.now()
    const { status, stderr } = spawnSync(command, args, {
      cwd: run.folder,
      env,
      encoding: "utf8",
      timeout: 30_000
    })
    if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}: ${stderr}`)
    return performance.now() - startedMs
  }
  const sockets = join(bed, "run/autopilotd")
  const masters = () => readdirSync(sockets).map((name) => join(sockets, name))
  mkdirSync(sockets, { mode: 0o700 })
  const disconnect = () => {
    for (const path of masters()) runs("ssh", ["-o", `ControlPath=${path}`, "-O", "exit", "bash"])
  }
  const connect = () => {
    if (masters().length === 0) runs(launcher, ["--host", empty, "--version"])
  }
  const alone = ["-o", "ControlMaster=no", "-o", "ControlPath=none"]
  const systems = [
    ["ssh HOST true, new connection", () => {}, () => ["ssh", [...alone, "bash", "true"]]],
    ["ssh HOST true, shared", connect, () => ["ssh", ["-o", `ControlPath=${masters()[0]}`, "bash", "true"]]],
    ["autopilotd --version, here", () => {}, () => [launcher, ["--version"]]],
    ["--host, nothing there, new", disconnect, () => [launcher, ["--host", empty, "--version"]]],
    ["--host, nothing there, shared", connect, () => [launcher, ["--host", empty, "--version"]]],
    ["--host --version, new", disconnect, () => [launcher, ["--host", installed, "--version"]]],
    ["--host --version, shared", connect, () => [launcher, ["--host", installed, "--version"]]],
    ["the same, found by a login shell", connect, () => [launcher, ["--host", "bash", "--version"]]]
  ].map(([name, prepare, words]) => ({ name, prepare, words, wallMs: [] }))

  for (let round = -warmUps; round < rounds; round++) {
    for (const { prepare, wallMs, words } of systems) {
      prepare()
      const took = runs(...words())
      if (round >= 0) wallMs.push(took)
    }
  }
  disconnect()

  const [floor] = systems
  printTable(
    `Commands on another machine (an sshd on 127.0.0.1), ${rounds} rounds, interleaved, medians.`,
    ["", "wall ms", "p25-p75", "/ floor"],
    systems.map(({ name, wallMs }) => [
      name,
      median(wallMs),
      `${quantile(wallMs, 0.25).toFixed(0)}-${quantile(wallMs, 0.75).toFixed(0)}`,
      ratio(median(wallMs), median(floor.wallMs))
    ])
  )
})
