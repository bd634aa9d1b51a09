import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { resolve } from "node:path"

const markName = "APD_TESTS"
const mark = randomUUID()

// Inherited by all that a test starts. Not a name of the daemon's own, which it keeps from its workers.
process.env[markName] = mark
// When vitest itself is killed, its processes would go on with their tests. It forbids them process.exit.
if (process.connected) process.once("disconnect", () => process.kill(process.pid, "SIGKILL"))

const keeper = spawn(resolve(import.meta.dirname, "keeper.sh"), [`${markName}=${mark}`], {
  // Out of reach of the terminal's Ctrl-C: it ends when this process has.
  detached: true,
  stdio: ["pipe", "ignore", "ignore"],
  env: { PATH: process.env["PATH"] }
})
keeper.unref()
keeper.stdin.on("error", () => {})
if ("unref" in keeper.stdin && typeof keeper.stdin.unref === "function") keeper.stdin.unref()

/** From now on this folder is removed when this process is gone, and until then all that it has started is ended. */
export const keep = (home: string): void => void keeper.stdin.write(`${home}\n`)

/** The environment for a process that must outlive this one, because it cleans up by itself. */
export const unkept = { [markName]: undefined }
