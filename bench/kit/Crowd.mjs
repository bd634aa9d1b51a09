// A machine on which much else runs.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { processCount } from "./ProcessFigures.mjs"
import { signal, within } from "./Session.mjs"

/** Fills the machine with sleepers up to `wanted` processes; ends them when the function it returns is called. */
export const crowd = async ({ atEnd }, wanted) => {
  const missing = wanted - processCount()
  if (missing <= 0) return () => undefined
  const script = `i=0; while [ $i -lt ${missing} ]; do sleep 600 & i=$((i + 1)); done >/dev/null; echo; wait`
  const leader = spawn("/bin/sh", ["-c", script], { detached: true, stdio: ["ignore", "pipe", "ignore"] })
  const ended = once(leader, "exit")
  let isOver = false
  const end = async () => {
    if (isOver) return
    isOver = true
    signal(-leader.pid, "SIGKILL")
    await ended
  }
  atEnd(end)
  await within(60_000, "the machine is full", once(leader.stdout, "data"))
  return end
}
