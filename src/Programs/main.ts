// oxlint-disable-next-line import/no-unassigned-import -- it must run before every other module
import "../Layers/daemon/DebuggerSignal.ts"
import { type CommandLine, type Invocation, parse } from "../Domain/cli/CommandLine.ts"
import { exitCodes } from "../Domain/cli/ExitCodes.ts"
import { hostChoice, hostVariable, withoutHost } from "../Domain/cli/HostChoice.ts"
import { readingVerbOf, talkingVerbOf } from "../Domain/cli/QuickVerbs.ts"
import { answerText } from "../Domain/json/JsonAnswer.ts"
import { relayVariable } from "../Domain/relay/RelayVariable.ts"
import type { Exchanged } from "../Layers/control/Exchange.ts"
import { exitProcess } from "../Layers/daemon/ProcessExit.ts"
import { printed } from "../Layers/output/PlainOutput.ts"
import type { Ran } from "./cli/QuickRun.ts"
import type { RemoteCall } from "./remote/Remote.ts"
import { version } from "./Version.ts"

/** What a bundle beside this one exports. */
const bundled = <Exports>(name: string): Promise<Exports> => import(`${import.meta.dirname}/${name}.js`)

/** The help is in a bundle of its own: no command needs its texts. */
const printHelp = async ({ isAll, topic }: Extract<CommandLine, { readonly _tag: "Help" }>) => {
  const { helpText } = await bundled<typeof import("../Domain/cli/Help.ts")>("help")
  await printed(helpText(topic, isAll))
}

/** The version of this command has no time and no amount. */
const noKeys = { moments: [], microDollars: [] }

/** Everything else is in a bundle of its own, which takes several times as long to load as Node. */
const runProgram = async (argv: ReadonlyArray<string>, earlier: ReadonlyArray<Exchanged>): Promise<void> => {
  const { loadForMoment } = await compiledProgram()
  const { exports, save } = await loadForMoment(`${import.meta.dirname}/program.js`)
  const { run } = exports as typeof import("./Program.ts")
  run(argv, earlier, save)
}

/** A quick command needs none: it takes no longer to compile than such code to check. */
const compiledProgram = () => bundled<typeof import("../Layers/daemon/CompiledProgram.ts")>("load")

/** The panel, and a relay by hand. */
const runServer = async (argv: ReadonlyArray<string>): Promise<void> => {
  ;(await compiledProgram()).keepYoungSmall()
  const { run } = await bundled<typeof import("./Program.ts")>("program")
  run(argv, [])
}

/** The daemon loads nothing but its own bundle. */
const runDaemon = async (argv: ReadonlyArray<string>, invocation: Invocation): Promise<void> => {
  const { loadForLongRun } = await compiledProgram()
  const daemon = await loadForLongRun(`${import.meta.dirname}/daemon.js`)
  const { serve } = daemon as typeof import("./daemon/Serve.ts")
  serve(argv, invocation)
}

/** The relay that the daemon starts loads nothing but its own bundle. */
const runRelay = async (): Promise<void> => {
  ;(await compiledProgram()).keepYoungSmall()
  const { run } = await bundled<typeof import("./relay/Relay.ts")>("relay")
  run()
}

/** A remote client waits for the first line of `dial-stdio`, which therefore is a bundle of its own. */
const runDialStdio = async (isReadOnly: boolean): Promise<number | undefined> => {
  const { run } = await bundled<typeof import("./control/DialStdio.ts")>("dial")
  return run(isReadOnly)
}

/** Hands a command line over to another machine, without loading anything of the commands. */
const runThere = async (call: RemoteCall): Promise<void> => {
  const { runRemote } = await bundled<typeof import("./remote/Remote.ts")>("remote")
  exitProcess(await runRemote(call))
}

/** Runs a command that only talks to the daemon, reads the history, or shows settings; no other one. */
const runQuick = async (invocation: Invocation): Promise<Ran> => {
  const reading = readingVerbOf(invocation.verb)
  if (reading !== undefined) {
    const { run } = await bundled<typeof import("./history/HistoryRoad.ts")>("history")
    return run(invocation, reading)
  }
  const { verb } = invocation
  if (verb === "config check" || verb === "config get") {
    const { run } = await bundled<typeof import("./config/SettingsRoad.ts")>("settings")
    return run(invocation, verb, parse)
  }
  const talking = talkingVerbOf(invocation.verb)
  if (talking === undefined) return []
  if (talking === "status") {
    const { run } = await bundled<typeof import("./cli/StatusRoad.ts")>("status")
    return run(invocation)
  }
  const { run } = await bundled<typeof import("./cli/TalkRoad.ts")>("quick")
  return run(invocation, talking)
}

/** The words of all agents are in a bundle of its own. Undefined where the whole program has to take over. */
const runLogs = async (invocation: Invocation): Promise<number | undefined> => {
  const road = await bundled<typeof import("./logs/LogsRoad.ts")>("logs")
  // A bug: the whole program comes to the same one, and reports it.
  return road.runLogs(invocation).catch(() => undefined)
}

/** A variable of the user manager must not send a service to another machine. */
const isService = process.env["SYSTEMD_EXEC_PID"] === String(process.pid)

const main = async (given: ReadonlyArray<string>): Promise<void> => {
  if (given[0] === "relay" && process.env[relayVariable] !== undefined) return runRelay()
  const variable = isService ? undefined : process.env[hostVariable]
  const read = parse(given)
  const { host, runsHere } = hostChoice(read, variable)
  const argv = read._tag === "UsageError" ? given : withoutHost(given)
  if (host !== undefined && !runsHere) return runThere({ host, argv, line: read })
  // What this process starts must not go elsewhere.
  delete process.env[hostVariable]
  await runHere(host === undefined ? argv : [`--host=${host}`, ...argv])
}

const runHere = async (argv: ReadonlyArray<string>): Promise<void> => {
  const line = parse(argv)
  switch (line._tag) {
    case "Help":
      await printHelp(line)
      break
    case "Version":
      await printed(
        line.json === true
          ? answerText({ success: true, message: `autopilotd ${version}`, data: { version } }, noKeys)
          : `autopilotd ${version}\n`
      )
      break
    case "Run": {
      const { invocation } = line
      if (invocation.verb === "start" && invocation.options.detach !== true)
        return runDaemon(argv, invocation)
      if (invocation.verb === "dial-stdio") {
        const code = await runDialStdio(invocation.options.readOnly === true)
        return code === undefined ? runProgram(argv, []) : exitProcess(code)
      }
      if (invocation.verb === "gui" || invocation.verb === "relay") return runServer(argv)
      if (invocation.verb === "logs") {
        const code = await runLogs(invocation)
        return code === undefined ? runProgram(argv, []) : exitProcess(code)
      }
      const ran = await runQuick(invocation)
      return typeof ran === "number" ? exitProcess(ran) : runProgram(argv, ran)
    }
    default:
      return runProgram(argv, [])
  }
  exitProcess(exitCodes.done)
}

void main(process.argv.slice(2))
