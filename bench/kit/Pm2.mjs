// pm2 as a peer: installed once into a cache folder, run with a home of its own.
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { eventually, shellEnvironment, signal } from "./Session.mjs"

const version = "7.0.4"

const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "autopilotd-tests/pm2")
const command = join(folder, "node_modules/pm2/bin/pm2")

/** Installs pm2 if it is not there. Says why it cannot be had, or undefined. */
const missing = () => {
  if (existsSync(command)) return undefined
  try {
    mkdirSync(folder, { recursive: true })
  } catch (cause) {
    return `there is no place for it (${cause.message})`
  }
  console.error(`Installing pm2 ${version} into ${folder} ...`)
  const { error, status, stderr } = spawnSync(
    "npm",
    ["install", "--prefix", folder, `pm2@${version}`, "--no-audit", "--no-fund", "--ignore-scripts"],
    {
      cwd: folder,
      env: shellEnvironment,
      timeout: 120_000,
      encoding: "utf8",
      stdio: ["ignore", "ignore", "pipe"]
    }
  )
  if (status === 0 && existsSync(command)) return undefined
  const told = stderr
    .split("\n")
    .filter((line) => /^npm err/i.test(line) && !/ (code|errno|syscall) /.test(line))
  return `npm could not install it (${error?.message ?? told.at(0) ?? `exit code ${status}`})`
}

/**
 * pm2's daemon with its own PM2_HOME, running `apps` ({ name, script, args, restartDelayMs }), or the reason why not.
 * `run` runs its command line; `pid` is the daemon's.
 */
export const startPm2 = async ({ atEnd, folder: at }, apps) => {
  const absent = missing()
  if (absent !== undefined) return { absent }
  const home = join(at, "pm2")
  mkdirSync(home)
  const config = join(home, "apps.json")
  writeFileSync(
    config,
    JSON.stringify({
      apps: apps.map(({ args, name, restartDelayMs, script }) => ({
        name,
        script,
        args,
        interpreter: "none",
        restart_delay: restartDelayMs,
        max_restarts: 1_000_000,
        merge_logs: true,
        vizion: false,
        pmx: false
      }))
    })
  )
  const env = { ...process.env, PM2_HOME: home, PM2_DISABLE_VERSION_CHECK: "true" }
  const run = (...args) =>
    spawnSync(process.execPath, [command, ...args], { cwd: at, env, encoding: "utf8", timeout: 60_000 })
  const pidFile = join(home, "pm2.pid")
  const daemonPid = () => (existsSync(pidFile) ? Number(readFileSync(pidFile, "latin1")) : undefined)
  const isOurs = (pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "latin1").includes(`PM2_HOME=${home}\0`)
    } catch {
      return false
    }
  }
  atEnd(async () => {
    const pid = daemonPid()
    run("kill")
    if (pid === undefined) return
    const isGone = () => (isOurs(pid) ? undefined : true)
    await eventually("pm2's daemon ends", isGone, 5000).catch(() => isOurs(pid) && signal(pid, "SIGKILL"))
  })
  const { status, stderr } = run("start", config)
  const pid = daemonPid()
  if (status !== 0 || pid === undefined)
    return { absent: `it did not start (${stderr.trim().split("\n").at(-1)})` }
  return { pid, home, env, command, run }
}
