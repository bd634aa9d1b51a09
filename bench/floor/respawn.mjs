// The floor: the least that Node must do to keep a command running. Arguments: the delay in ms, the command.
// It says "up" whenever the command runs. On SIGUSR2 it ends the command's group and says "down" once the command has
// exited; on the next one it starts it again.
import { spawn } from "node:child_process"

const [delayMs, command, ...args] = process.argv.slice(2)
let child
let isWanted = true

const start = () => {
  child = spawn(command, args, { stdio: "ignore", detached: true })
  child.once("spawn", () => process.stdout.write("up\n"))
  child.once("exit", () => {
    if (!isWanted) process.stdout.write("down\n")
    else if (Number(delayMs) === 0) start()
    else setTimeout(start, Number(delayMs))
  })
}

process.on("SIGUSR2", () => {
  isWanted = !isWanted
  if (isWanted) start()
  else process.kill(-child.pid, "SIGTERM")
})
// Without a child nothing else would keep Node here.
setInterval(() => undefined, 2 ** 31 - 1)

process.once("SIGTERM", () => {
  isWanted = false
  child.once("exit", () => process.exit(0))
  if (child.exitCode !== null || child.signalCode !== null) process.exit(0)
  process.kill(-child.pid, "SIGTERM")
})
start()
