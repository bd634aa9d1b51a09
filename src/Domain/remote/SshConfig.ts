/** The configuration of ssh for a host: the answer of `ssh -G`, keys in small letters. */
export type SshConfig = ReadonlyMap<string, string>

export const readSshConfig = (text: string): SshConfig =>
  new Map(
    text.split("\n").flatMap((line) => {
      const at = line.indexOf(" ")
      return at === -1 ? [] : [[line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()] as const]
    })
  )

/** Whether the user has set up shared connections in ssh_config, which then stay as they are. */
const sharesAlready = (config: SshConfig): boolean =>
  (config.get("controlmaster") ?? "false") !== "false" || (config.get("controlpath") ?? "none") !== "none"

/** sun_path has 108 bytes, the last one a NUL. ssh first binds a name with 17 characters more. */
const longestControlPath = 107 - 17

/** ssh refuses to connect at all by a path that is too long, or that has a `%` or a blank in it. */
const isControlPath = (path: string): boolean =>
  new TextEncoder().encode(path).length <= longestControlPath && /^[\w./+:@,-]+$/.test(path)

/** A connection stays this long after the last command, in seconds. */
const persistSeconds = 60

interface OptionsOf {
  readonly config: SshConfig
  /** The socket of a shared connection; undefined where there is no place for one. */
  readonly controlPath: string | undefined
  /** Somebody can answer when ssh asks for a passphrase or about a host key. */
  readonly canAsk: boolean
  /** A port of 127.0.0.1 that leads to the same port there. */
  readonly forwardedPort?: number | undefined
}

/** The path of the shared connection that ssh may use; undefined where the user has set up another, or it is unusable. */
export const sharedPath = ({
  config,
  controlPath
}: Pick<OptionsOf, "config" | "controlPath">): string | undefined =>
  controlPath !== undefined && isControlPath(controlPath) && !sharesAlready(config) ? controlPath : undefined

/**
 * The options for ssh in the form NAME=VALUE. What the user has set in ssh_config stays; checks of host keys are never
 * touched. RemoteCommand and LocalCommand would run beside or instead of autopilotd, and a port that ssh_config forwards is taken
 * at the second connection. A shared connection would keep a forwarded port after its command, and it knows the option that
 * drops those of ssh_config only together with our own.
 */
export const sshOptions = ({
  canAsk,
  config,
  controlPath,
  forwardedPort
}: OptionsOf): ReadonlyArray<string> => {
  const isForwarding = forwardedPort !== undefined
  const path = isForwarding ? undefined : sharedPath({ config, controlPath })
  const unset = (key: string, empty: string) => (config.get(key) ?? empty) === empty
  return [
    "RemoteCommand=none",
    "PermitLocalCommand=no",
    ...(isForwarding
      ? [
          `LocalForward=127.0.0.1:${forwardedPort} 127.0.0.1:${forwardedPort}`,
          "ControlMaster=no",
          "ControlPath=none"
        ]
      : ["ClearAllForwardings=yes"]),
    "ForwardAgent=no",
    "ForwardX11=no",
    ...(canAsk ? [] : ["BatchMode=yes"]),
    ...(unset("connecttimeout", "none") ? ["ConnectTimeout=10"] : []),
    ...(unset("serveraliveinterval", "0") ? ["ServerAliveInterval=15", "ServerAliveCountMax=3"] : []),
    // At its usual level ssh says that a connection was closed after each command on a terminal.
    ...(unset("loglevel", "INFO") ? ["LogLevel=ERROR"] : []),
    ...(path === undefined
      ? []
      : ["ControlMaster=auto", `ControlPath=${path}`, `ControlPersist=${persistSeconds}`])
  ]
}
