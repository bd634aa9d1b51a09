import { printable, quoted } from "../text/Printable.ts"
import type { RemoteHost } from "./HostUrl.ts"
import { notFoundCode, placesThere } from "./RemoteScript.ts"

type Tag =
  | "HostUnreachable"
  | "HostRefused"
  | "NotInstalledThere"
  | "NoDaemonThere"
  | "OtherVersionThere"
  | "NoStreamThere"
  | "SshUnusable"

/** Why a command does not run on another machine, or a connection to its daemon does not come about. */
export class SshFailure extends Error {
  readonly _tag: Tag
  /** The host as the user named it. */
  readonly host: string
  /** The line of ssh, or of the other machine, that says it; undefined where there is none. */
  readonly said: string | undefined
  /** The meaning and the advice, in sentences, without `said`. */
  readonly meaning: string

  constructor(_tag: Tag, host: RemoteHost, meaning: string, said?: string) {
    super(said === undefined ? meaning : `${meaning} ssh said: ${said}`)
    this._tag = _tag
    this.host = host.name
    this.said = said
    this.meaning = meaning
  }
}

/** How an ssh ended that ran a command, or held a connection. */
export interface SshEnd {
  readonly host: RemoteHost
  /** The exit code of ssh, which is that of the command there; 255 for a failure of ssh; undefined after a signal. */
  readonly code: number | undefined
  /** The last lines of its standard error. */
  readonly stderr: string
  /** The version of this autopilotd. */
  readonly version: string
}

/** ssh exits with it for all failures of its own, and for a command there that a signal has killed. */
const ownFailure = 255

const longest = 400

/** A row of the table: what ssh says, and what we add. `H` stands for the name of the host, `D` for its place in a line of ssh. */
interface Row {
  readonly says: RegExp
  readonly tag: Tag
  readonly means: string
}

const notReached = "Host H cannot be reached:"
const notAdmitted = "Host H lets nobody in this way:"
const decides = "~/.autopilot/hosts.toml and ~/.ssh/config decide what H stands for"

/** The first row that fits is taken, so what names the cause stands before what only follows from it. */
const rows: ReadonlyArray<Row> = [
  {
    says: /^ssh: Could not resolve hostname /,
    tag: "HostUnreachable",
    means: `${notReached} its name leads nowhere. Check the spelling; ${decides}.`
  },
  {
    says: /REMOTE HOST IDENTIFICATION HAS CHANGED|Offending .*key in /,
    tag: "HostRefused",
    means:
      "Host H shows another key than before: it was installed anew, or another machine answers in its place. Find out which before you do anything; ssh names the line of known_hosts to remove once you know."
  },
  {
    says: /^Host key verification failed\.|^No .* host key is known for /,
    tag: "HostRefused",
    means:
      "This machine does not know the key of host H yet. Connect once by hand, compare the key, and accept it: ssh D. Never switch the check off."
  },
  {
    says: /Permission denied \(|Permission denied, please try again|Too many authentication failures/,
    tag: "HostRefused",
    means: `${notAdmitted} it takes none of your keys. Copy one to it with ssh-copy-id D, or start an agent that holds it (ssh-add). What works with "ssh D" works here.`
  },
  {
    says: /^no such identity: |^Load key "/,
    tag: "HostRefused",
    means: `${notAdmitted} ssh cannot read the key that ~/.ssh/config names for it.`
  },
  {
    says: /Bad configuration option|terminating, \d+ bad configuration options|Bad owner or permissions on|^command-line line 0:/,
    tag: "SshUnusable",
    means: "ssh refuses its own configuration, so host H was not contacted. Fix the line that it names."
  },
  {
    says: /Connection refused/,
    tag: "HostUnreachable",
    means: `${notReached} nothing listens at its port for ssh. Check that sshd runs there, and the port; ${decides}.`
  },
  {
    says: /Connection timed out during banner exchange|banner exchange: |kex_exchange_identification: |ssh_exchange_identification: /,
    tag: "HostUnreachable",
    means: `${notReached} it accepts the connection, and then does not speak ssh or drops it. Check that the port is that of sshd, and that the machine is not overloaded.`
  },
  {
    says: /Connection timed out|Operation timed out|No route to host|Network is unreachable|Host is down/,
    tag: "HostUnreachable",
    means: `${notReached} it does not answer. Check that it is on and that the network leads there (VPN, firewall); ${decides}.`
  },
  {
    says: /^Unable to negotiate with /,
    tag: "HostUnreachable",
    means: `${notReached} its sshd and this ssh have no method in common. Upgrade the older of the two.`
  },
  {
    says: /Timeout, server .* not responding|client_loop: send disconnect|Connection to .* closed by remote host|Connection reset by|Connection closed by|Broken pipe|packet_write_wait|mux_client_.*broken pipe/i,
    tag: "HostUnreachable",
    means:
      "The connection to host H was cut. What was begun there may still go on. To see it: autopilotd --host H status"
  }
]

const linesOf = (text: string): ReadonlyArray<string> =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "")

/** `[-p PORT] [USER@]HOST`: what a user writes behind ssh. */
const sshWords = ({ host, port, user }: RemoteHost): string =>
  `${port === undefined ? "" : `-p ${port} `}${user === undefined ? "" : `${user}@`}${host}`

const named = (text: string, host: RemoteHost): string =>
  text.replace(/\b[HD]\b/g, (letter) => printable(letter === "H" ? host.name : sshWords(host), 200))

/**
 * Explains how an ssh ended. Undefined if the command ran there and has told its end itself: every code but 255 is that of
 * the command, and 255 alone proves nothing.
 */
export const sshFailure = ({ code, host, stderr, version }: SshEnd): SshFailure | undefined => {
  const lines = linesOf(stderr)
  const last = lines.at(-1)
  const said = last === undefined ? undefined : printable(last, longest)
  if (code === notFoundCode) {
    return new SshFailure(
      "NotInstalledThere",
      host,
      named(
        `There is no autopilotd on host H. Install it there as on this machine; it is looked for in ${placesThere.join(", ")}.`,
        host
      ),
      said
    )
  }
  if (code === 3)
    return new SshFailure(
      "NoDaemonThere",
      host,
      named("No daemon runs on host H. To start it: autopilotd --host H start --detach", host)
    )
  if (code === 2)
    return new SshFailure(
      "OtherVersionThere",
      host,
      named(
        `The autopilotd on host H does not know this command: it is older than ${version}, which runs here. Its version: autopilotd --host H --version. Upgrade it there.`,
        host
      ),
      said
    )
  if (code !== ownFailure) return undefined
  for (const { means, says, tag } of rows) {
    const line = lines.findLast((one) => says.test(one))
    if (line !== undefined) return new SshFailure(tag, host, named(means, host), printable(line, longest))
  }
  return new SshFailure(
    "HostUnreachable",
    host,
    named(
      "The connection to host H ended, or a signal killed the command there. Try what ssh says by itself: ssh D true",
      host
    ),
    said
  )
}

/** A host on which no command has begun, and no line of `dial-stdio` come. `before` is what came instead. */
export const noStream = (host: RemoteHost, before: string): SshFailure => {
  const first = linesOf(before)[0]
  return new SshFailure(
    "NoStreamThere",
    host,
    named(
      first === undefined
        ? "Host H answers with nothing where autopilotd should begin. Check that its start-up files of the shell end, and do not start another program."
        : `Host H answers with something else where autopilotd should begin: ${quoted(first)}. A start-up file of the shell there prints that and ends the shell, or the shell takes no commands. Try: ssh D true`,
      host
    )
  )
}

/** ssh itself did not start. `reason` is a clause without its full stop. */
export const sshNotStarted = (host: RemoteHost, reason: string): SshFailure =>
  new SshFailure(
    "SshUnusable",
    host,
    named(
      `ssh, which connects to host H, does not start: ${reason}. On Debian and Ubuntu: apt-get install openssh-client`,
      host
    )
  )
