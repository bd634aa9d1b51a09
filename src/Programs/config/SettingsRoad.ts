import type { Invocation, parse } from "../../Domain/cli/CommandLine.ts"
import type { ReplyTo } from "../../Domain/control/ControlProtocol.ts"
import { misfit } from "../../Domain/Shape.ts"
import { systemTimer } from "../../Layers/concurrency/Timer.ts"
import { type Exchanged, exchangeLimits, exchangeOverDisk } from "../../Layers/control/Exchange.ts"
import { callerFacts } from "../../Layers/daemon/CallerFacts.ts"
import {
  autopilotFolder,
  binBelow,
  envFileBelow,
  settingsBelow,
  socketBelow
} from "../../Layers/daemon/HomeFolder.ts"
import { isTerminal } from "../../Layers/output/TerminalColour.ts"
import { concluded, failed } from "../cli/Conclusion.ts"
import { type Ran, replyIn } from "../cli/QuickRun.ts"
import { checkSettings } from "./SettingsCheck.ts"
import { getSetting } from "./SettingsGet.ts"

/** The places of keys and the options of agents are in the whole program. */
const onlyWhole = (): never => {
  throw new Error("Only the whole program knows that")
}

/** The commands that only show settings. */
type ShowingVerb = "config check" | "config get"

/** Runs them without the whole program, in a bundle of its own, which hands over to it what is wrong. */
export const run = async (invocation: Invocation, verb: ShowingVerb, read: typeof parse): Promise<Ran> => {
  const root = autopilotFolder()
  // The whole program checks that --config names a file; `config check` says so itself.
  if (root === undefined || (verb === "config get" && invocation.options.config !== undefined)) return []
  const earlier: Array<Exchanged> = []
  const daemonPid = async () => {
    const question = { type: "Status" } as const
    const exchanged = await exchangeOverDisk(socketBelow(root), JSON.stringify(question), exchangeLimits)
    earlier.push(exchanged)
    // The shape that has read it is made of the reply's schema.
    const reply = replyIn(question.type, exchanged) as ReplyTo<"Status"> | typeof misfit
    return reply === misfit ? undefined : reply.data?.daemon_pid
  }
  const world = {
    timer: systemTimer,
    home: { settingsFile: settingsBelow(root), envFile: envFileBelow(root), binDir: binBelow(root) },
    caller: callerFacts(),
    positions: onlyWhole,
    withGiven: onlyWhole
  }
  const asked =
    verb === "config get"
      ? getSetting(invocation, { ...world, isTerminal: isTerminal() })
      : checkSettings(invocation, { ...world, read, daemonPid })
  // A bug, or what only the whole program knows: it comes to the same one.
  const outcome = await asked.catch(() => undefined)
  if (outcome === undefined) return earlier
  if (outcome instanceof Error) return failed(outcome, invocation)
  return (await concluded(outcome, verb)) ?? earlier
}
