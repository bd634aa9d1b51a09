import type { RemoteHost } from "./HostUrl.ts"
import { type RemoteRun, remoteCommandLine } from "./RemoteScript.ts"
import { type SshConfig, sshOptions } from "./SshConfig.ts"

/** The facts of this machine that decide how ssh is called. */
interface SshHere {
  /** The answer of `ssh -G` for the host; empty where there is none. */
  readonly config: SshConfig
  /** The socket of a shared connection; undefined where there is no place for one. */
  readonly controlPath: string | undefined
  /** Somebody can answer when ssh asks for a passphrase or about a host key. */
  readonly canAsk: boolean
  /** A port of 127.0.0.1 that leads to the same port there, as long as the command runs. */
  readonly forwardedPort?: number | undefined
}

const destination = ({ host, port, user }: RemoteHost): ReadonlyArray<string> => [
  ...(port === undefined ? [] : ["-p", String(port)]),
  ...(user === undefined ? [] : ["-l", user]),
  // A host never begins with a dash; `--` holds all the same.
  "--",
  host
]

/** The arguments of the ssh that prints its configuration for a host. */
export const sshConfigArgs = (host: RemoteHost): ReadonlyArray<string> => ["-G", ...destination(host)]

const sshArgs = (
  host: RemoteHost,
  here: SshHere,
  flag: "-t" | "-T",
  run: RemoteRun
): ReadonlyArray<string> => [
  flag,
  ...sshOptions(here).flatMap((option) => ["-o", option]),
  ...destination(host),
  remoteCommandLine({
    ...run,
    variables: { ...run.variables, ...(host.home === undefined ? {} : { AUTOPILOT_HOME: host.home }) }
  })
]

/** The arguments of the ssh that runs a command of a user on a host. `hasTerminal`: with a terminal there, as here. */
export const sshCommand = (
  host: RemoteHost,
  here: SshHere,
  { hasTerminal, ...run }: RemoteRun & { readonly hasTerminal: boolean }
): ReadonlyArray<string> => sshArgs(host, here, hasTerminal ? "-t" : "-T", run)

/** The arguments of the ssh whose standard streams are a connection to the daemon of a host. Nobody is ever asked. */
export const sshStream = (
  host: RemoteHost,
  here: Omit<SshHere, "canAsk">,
  { readOnly }: { readonly readOnly: boolean }
): ReadonlyArray<string> =>
  sshArgs(host, { ...here, canAsk: false }, "-T", {
    words: ["dial-stdio", ...(readOnly ? ["--read-only"] : [])],
    variables: {},
    wantsLoginPath: false,
    endsWithInput: false,
    marksBegin: false
  })
