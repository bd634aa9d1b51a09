import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as net from "node:net"
import { join } from "node:path"
import type { RemoteHost } from "../../Domain/remote/HostUrl.ts"
import { sshConfigArgs } from "../../Domain/remote/SshCommand.ts"
import { readSshConfig, type SshConfig, sharedPath } from "../../Domain/remote/SshConfig.ts"
import { spawnProgram } from "../files/ProgramSpawn.ts"

/** The configuration of ssh for a host, and the place of a shared connection. */
interface SshSurroundings {
  readonly config: SshConfig
  /** The socket of the shared connection; undefined where it has no place. */
  readonly controlPath: string | undefined
}

/** The answer of `ssh -G`, which connects to nothing; empty where ssh refuses, which it will say by itself. */
const printedConfig = (host: RemoteHost): Promise<string> =>
  new Promise((resolve) => {
    let text = ""
    spawnProgram(
      (spawn) => spawn("ssh", sshConfigArgs(host), { stdio: ["ignore", "pipe", "ignore"] }),
      (child) => {
        child.stdout?.on("data", (bytes: Buffer) => {
          text += bytes.toString("utf8")
        })
        child.once("close", (code) => resolve(code === 0 ? text : ""))
      },
      (outcome) => {
        if ("_tag" in outcome) resolve("")
      }
    )
  })

/** A folder of this user alone; undefined where it cannot be one. */
const privateFolder = (path: string): string | undefined => {
  try {
    fs.mkdirSync(path, { recursive: true, mode: 0o700 })
    const { mode, uid } = fs.statSync(path)
    return uid === process.getuid?.() && (mode & 0o077) === 0 ? path : undefined
  } catch {
    // A runtime folder of another user, after su, or one that is gone.
    return undefined
  }
}

/** A process that reaches the socket of a shared connection reaches the other machine as this user. */
const folderOf = (root: string | undefined): string | undefined => {
  const runtime = process.env["XDG_RUNTIME_DIR"]
  const found =
    runtime === undefined || !fs.existsSync(runtime) ? undefined : privateFolder(join(runtime, "autopilotd"))
  return found ?? (root === undefined ? undefined : privateFolder(join(root, "ssh")))
}

/** Reads the configuration of ssh for a host. `root` is the home, for machines without a folder in /run. */
export const sshSurroundings = async (
  host: RemoteHost,
  root: string | undefined
): Promise<SshSurroundings> => {
  const printed = await printedConfig(host)
  if (printed === "") return { config: new Map(), controlPath: undefined }
  const config = readSshConfig(printed)
  // Another user, port, key or jump host is another connection.
  const name = createHash("sha256").update(printed).digest("hex").slice(0, 16)
  const folder = folderOf(root)
  const controlPath =
    folder === undefined ? undefined : sharedPath({ config, controlPath: join(folder, name) })
  return { config, controlPath }
}

const pollMs = 20

/** A person may type a passphrase meanwhile. */
const longestWaitMs = 15_000

/**
 * Waits while another process begins the shared connection. Twelve commands at once would otherwise be twelve connections,
 * and sshd drops new ones from the tenth on (MaxStartups). The turn ends with the process that has it: a name in the
 * kernel's abstract namespace, as no file could.
 */
export const awaitTurn = async (controlPath: string | undefined): Promise<void> => {
  if (controlPath === undefined) return
  const name = `\0autopilotd-ssh-${createHash("sha256").update(controlPath).digest("hex").slice(0, 32)}`
  const takes = () =>
    new Promise<boolean>((resolve) => {
      const server = net.createServer((socket) => socket.destroy())
      server.once("error", () => resolve(false))
      server.listen({ path: name }, () => {
        server.unref()
        // Where no connection can be shared after all, a command that runs long must not hold up the others.
        setTimeout(() => server.close(), longestWaitMs).unref()
        resolve(true)
      })
    })
  const until = performance.now() + longestWaitMs
  while (!fs.existsSync(controlPath) && !(await takes()) && performance.now() < until)
    await new Promise((resolve) => setTimeout(resolve, pollMs))
}
