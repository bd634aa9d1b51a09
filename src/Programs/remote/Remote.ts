import * as Either from "effect/Either"
import { type CommandLine, canonicalArgv, type Invocation } from "../../Domain/cli/CommandLine.ts"
import { exitCodeOf, exitCodes } from "../../Domain/cli/ExitCodes.ts"
import { hostVariable, looksOnPath, readsInput, runsLong } from "../../Domain/cli/HostChoice.ts"
import { UsageError } from "../../Domain/cli/UsageError.ts"
import { type CodedError, codeOf } from "../../Domain/control/ErrorCode.ts"
import { answerText } from "../../Domain/json/JsonAnswer.ts"
import { hostNamed, type KnownHost } from "../../Domain/remote/Hosts.ts"
import { beginLine } from "../../Domain/remote/RemoteScript.ts"
import { sshCommand } from "../../Domain/remote/SshCommand.ts"
import { noStream, SshFailure, sshFailure, sshNotStarted } from "../../Domain/remote/SshFailure.ts"
import { harmlessText, quoted } from "../../Domain/text/Printable.ts"
import { autopilotFolder } from "../../Layers/daemon/HomeFolder.ts"
import {
  colourVariables,
  hasControllingTerminal,
  isAllTerminal
} from "../../Layers/output/ControllingTerminal.ts"
import { showsColour } from "../../Layers/output/TerminalColour.ts"
import { HostsInvalid, readHosts } from "../../Layers/remote/HostsText.ts"
import { freePort, LocalPortTaken } from "../../Layers/remote/LocalPort.ts"
import { awaitTurn, sshSurroundings } from "../../Layers/remote/SharedConnection.ts"
import { runSsh } from "../../Layers/remote/SshRun.ts"
import { version } from "../Version.ts"

/** A command for another machine. */
export interface RemoteCall {
  /** The host as the user named it, never empty. */
  readonly host: string
  /** The command line without the host. */
  readonly argv: ReadonlyArray<string>
  readonly line: CommandLine | UsageError
}

type Failure = SshFailure | HostsInvalid | UsageError | LocalPortTaken

const isFailure = (cause: unknown): cause is Failure =>
  cause instanceof SshFailure ||
  cause instanceof HostsInvalid ||
  cause instanceof UsageError ||
  cause instanceof LocalPortTaken

/** No answer of this bundle has a time or an amount. */
const noKeys = { moments: [], microDollars: [] }

const knownHost = async (name: string, root: string | undefined): Promise<KnownHost> => {
  const found = hostNamed(name, root === undefined ? [] : await readHosts(root))
  if (Either.isRight(found)) return found.right
  throw new UsageError({
    problem: `The host ${quoted(name)} of --host or ${hostVariable} cannot be used: ${found.left}.`,
    help: "autopilotd help --all"
  })
}

const write = (stream: NodeJS.WriteStream, text: string): Promise<void> =>
  new Promise((resolve) => {
    stream.on("error", () => resolve())
    stream.write(text, () => resolve())
  })

/** Prints a failure. `isShown`: ssh has said its part already. */
const report = async (failure: Failure, wantsJson: boolean, isShown: boolean): Promise<void> => {
  const coded: CodedError = failure
  const text = isShown && failure instanceof SshFailure ? failure.meaning : failure.message
  if (wantsJson)
    await write(
      process.stdout,
      answerText({ success: false, message: failure.message, code: codeOf(coded) }, noKeys)
    )
  else await write(process.stderr, harmlessText(`autopilotd: ${text}\n`))
}

/**
 * The panel of another machine listens on a port that is free here, and ssh forwards that port: the panel answers for its own
 * port only, and so the link that it prints is right on this side.
 */
const panelThere = async (invocation: Invocation) => {
  const { host: _, open, ...options } = invocation.options
  if (open === true)
    throw new UsageError({
      problem:
        "--open opens a browser on the machine of the panel: with --host, open the link that it prints.",
      help: "autopilotd gui --help"
    })
  const port = await freePort(options.port ?? 0)
  return { port, argv: canonicalArgv({ ...invocation, options: { ...options, port } }) }
}

/** Runs ssh, and returns the exit code. Throws a `Failure` before anything was shown. */
const connected = async ({ argv, host: name, line }: RemoteCall, wantsJson: boolean): Promise<number> => {
  const root = autopilotFolder()
  const host = await knownHost(name, root)
  const invocation = line._tag === "Run" ? line.invocation : undefined
  const hasTerminal = isAllTerminal()
  const isLong = invocation !== undefined && runsLong(invocation)
  const isRead = invocation !== undefined && readsInput(invocation)
  const panel = invocation?.verb === "gui" ? await panelThere(invocation) : undefined
  const surroundings = await sshSurroundings(host, root)
  const words = sshCommand(
    host,
    { ...surroundings, canAsk: hasControllingTerminal(), forwardedPort: panel?.port },
    {
      words: panel?.argv ?? argv,
      variables: colourVariables(hasTerminal, showsColour()),
      wantsLoginPath: invocation !== undefined && looksOnPath(invocation),
      endsWithInput: isLong && !hasTerminal,
      marksBegin: !hasTerminal,
      editor:
        invocation?.verb === "config edit" ? (process.env["VISUAL"] ?? process.env["EDITOR"]) : undefined,
      hasTerminal
    }
  )
  if (panel === undefined) await awaitTurn(surroundings.controlPath)
  const ran = await runSsh(words, {
    input: hasTerminal || isRead ? "terminal" : isLong ? "lifeline" : "none",
    beginLine: hasTerminal ? undefined : beginLine,
    keepsErrors: wantsJson
  })
  if (ran._tag === "NotSpawned") throw sshNotStarted(host, ran.reason)
  const { code, instead, interrupted, stderr } = ran
  if (interrupted !== undefined) return interrupted
  // A login shell that refuses to run anything has a code of its own.
  const failure =
    sshFailure({ host, code, stderr, version }) ??
    (instead === undefined ? undefined : noStream(host, instead))
  // The command there has answered for itself, and for a program that is enough.
  const isAnswered = failure?._tag === "NoDaemonThere" || failure?._tag === "OtherVersionThere"
  if (failure === undefined || (isAnswered && wantsJson)) {
    if (wantsJson) await write(process.stderr, stderr)
    return code
  }
  await report(failure, wantsJson, true)
  return isAnswered ? code : exitCodes.hostFailed
}

/** Carries a command out on another machine, as if it were typed there, and returns the exit code. */
export const runRemote = async (call: RemoteCall): Promise<number> => {
  const { line } = call
  const wantsJson =
    line._tag === "Run"
      ? line.invocation.options.json === true
      : line._tag === "Version" && line.json === true
  try {
    return await connected(call, wantsJson)
  } catch (cause) {
    if (!isFailure(cause)) throw cause
    await report(cause, wantsJson, false)
    return exitCodeOf(codeOf(cause))
  }
}
