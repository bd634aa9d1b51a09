import * as fs from "node:fs/promises"
import { userInfo } from "node:os"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { systemdProperties } from "../../Domain/systemd/SystemctlShow.ts"
import { printable } from "../../Domain/text/Printable.ts"
import { Caller } from "../daemon/Caller.ts"
import { SystemdTools, type ToolAnswer } from "../systemd/SystemdTools.ts"

/** There is nobody to install a service with. */
export class NoUserManager extends Data.TaggedError("NoUserManager")<{
  /** A sentence without its full stop. */
  readonly reason: string
  /** What to do, in whole sentences. */
  readonly cure: string
}> {
  override get message(): string {
    return `There is no user manager of systemd here: ${this.reason}. ${this.cure}`
  }
}

/** systemd has refused what it was told, or failed at it. */
export class ToldInVain extends Data.TaggedError("ToldInVain")<{
  /** The command line. */
  readonly command: string
  /** What it has said. */
  readonly said: string
}> {
  override get message(): string {
    return `${this.command} has failed: ${this.said === "" ? "it said nothing" : this.said}`
  }
}

/** What systemd knows of a unit. */
export interface UnitState {
  /** `loaded`, `not-found`, `masked`, `bad-setting`, `error`. */
  readonly load: string
  /** `active`, `inactive`, `failed`, `activating`, `deactivating`, `reloading`. */
  readonly active: string
  /** The same more closely: `running`, `auto-restart`, ... */
  readonly sub: string
  /** `enabled`, `disabled`, `masked`, ... Empty when there is no such file. */
  readonly file: string
  /** Of the main process; undefined while there is none. */
  readonly mainPid: number | undefined
  /** The unit's file is not the one that systemd has read. */
  readonly isStale: boolean
}

/** The user's systemd: what it is asked and told about units. */
export class UserManager extends Context.Tag("UserManager")<
  UserManager,
  {
    /** Fails where there is none. Whether it looks for units in a folder. */
    readonly looksIn: Effect.Effect<(folder: string) => boolean, NoUserManager>
    /** What a service has for its environment. Empty where it cannot be known. */
    readonly environment: Effect.Effect<Readonly<Record<string, string>>, NoUserManager>
    readonly unit: (name: string) => Effect.Effect<UnitState, NoUserManager>
    /** Runs `systemctl --user` and returns when that is done, however long a start or a stop takes. */
    readonly tell: (...args: ReadonlyArray<string>) => Effect.Effect<void, NoUserManager | ToldInVain>
    /**
     * The last lines that the unit's processes have written to the journal since then. None where the journal cannot
     * be read. `sinceMs` is since 1970.
     */
    readonly said: (name: string, sinceMs: number) => Effect.Effect<ReadonlyArray<string>>
    /** Whether the user's services run while the user is not logged in; undefined where it cannot be known. */
    readonly lingers: Effect.Effect<boolean | undefined>
  }
>() {}

const properties = [
  "LoadState",
  "ActiveState",
  "SubState",
  "UnitFileState",
  "MainPID",
  "NeedDaemonReload"
] as const

const Environment = Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.String }))

const lastLines = 20

/** The name of the user, as logind knows it; the environment may say another. */
const ownName = (environment: Readonly<Record<string, string | undefined>>): string | undefined => {
  try {
    return userInfo().username
  } catch {
    // A container's user need not have a name.
    return environment["USER"]
  }
}

const make = Effect.gen(function* () {
  const tools = yield* SystemdTools
  const { environment } = yield* Caller
  const name = ownName(environment)
  const cure =
    `Log in as that user directly (at the machine or by ssh) or with: machinectl shell ${name ?? "USER"}@. ` +
    `For one that is always there: loginctl enable-linger ${name ?? "USER"}`
  const none = (reason: string) => new NoUserManager({ reason, cure })

  /** What the bus cannot be reached for is told by systemctl in its own words, which hide the usual reason. */
  const whyNoBus = (said: string) =>
    ["XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"].every((name) => (environment[name] ?? "") === "")
      ? "XDG_RUNTIME_DIR is not set, as it is after su or sudo"
      : `it does not answer (${printable(said, 300)})`

  const systemctl = Effect.fnUntraced(function* (
    args: ReadonlyArray<string>,
    limit?: Duration.DurationInput
  ) {
    const answer = yield* tools.run("systemctl", ["--user", ...args], limit).pipe(
      Effect.mapError(({ problem }) =>
        problem.includes("not installed")
          ? new NoUserManager({
              reason: `systemctl ${problem}`,
              cure: "Without systemd, autopilotd start --detach runs the daemon in the background."
            })
          : none(`systemctl ${problem}`)
      )
    )
    const said = answer.stderr.trim()
    if (answer.code !== 0 && /Failed to connect to bus|Failed to get D-Bus connection/.test(said)) {
      return yield* none(whyNoBus(said))
    }
    return answer
  })

  /** For questions that are always answered where there is somebody to answer. */
  const asked = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
    const { code, stderr, stdout } = yield* systemctl(args)
    return code === 0 ? stdout : yield* none(whyNoBus(stderr.trim()))
  })

  const linger: Effect.Effect<boolean | undefined> = Effect.gen(function* () {
    const uid = String(process.getuid?.() ?? "")
    const answer: ToolAnswer | undefined = yield* tools
      .run("loginctl", ["show-user", uid, "--property=Linger", "--value"])
      .pipe(Effect.orElseSucceed(() => undefined))
    const value = answer?.code === 0 ? answer.stdout.trim() : ""
    if (value === "yes" || value === "no") return value === "yes"
    // logind is not there, or does not know a user without a session: what it remembers is a file.
    return name === undefined
      ? undefined
      : yield* Effect.promise(() =>
          fs.access(`/var/lib/systemd/linger/${name}`).then(
            () => true,
            () => false
          )
        )
  })

  return UserManager.of({
    looksIn: Effect.map(asked("show", "--property=UnitPath", "--value"), (paths) => {
      const folders = ` ${paths.trim()} `
      return (folder: string) => folders.includes(` ${folder} `)
    }),
    environment: Effect.map(asked("show-environment", "--output=json"), (text) =>
      Option.getOrElse(Schema.decodeOption(Environment)(text), () => ({}))
    ),
    unit: (unit) =>
      Effect.map(asked("show", unit, `--property=${properties.join(",")}`), (text) => {
        const values = systemdProperties(text)
        const pid = Number(values.get("MainPID") ?? 0)
        return {
          load: values.get("LoadState") ?? "",
          active: values.get("ActiveState") ?? "",
          sub: values.get("SubState") ?? "",
          file: values.get("UnitFileState") ?? "",
          mainPid: pid > 0 ? pid : undefined,
          isStale: values.get("NeedDaemonReload") === "yes"
        }
      }),
    tell: (...args) =>
      Effect.flatMap(systemctl(args, Duration.infinity), ({ code, stderr }) =>
        code === 0
          ? Effect.void
          : new ToldInVain({
              command: ["systemctl", "--user", ...args].join(" "),
              said: printable(stderr.trim().split("\n").join(" "), 500)
            })
      ),
    said: (unit, sinceMs) =>
      tools
        .run("journalctl", [
          "--user",
          // Of the unit's processes alone, without what systemd says about them.
          `_SYSTEMD_USER_UNIT=${unit}`,
          `--since=@${(sinceMs / 1000).toFixed(6)}`,
          `--lines=${lastLines}`,
          "--output=cat",
          "--no-pager"
        ])
        .pipe(
          Effect.map(({ code, stdout }) =>
            code === 0 ? stdout.split("\n").filter((line) => line !== "") : []
          ),
          Effect.orElseSucceed(() => [])
        ),
    lingers: linger
  })
})

export const layer: Layer.Layer<UserManager, never, SystemdTools | Caller> = Layer.effect(UserManager, make)
