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
import { troubleIn, troubleProperties, type UnitTrouble } from "../../Domain/systemd/UnitTrouble.ts"
import { printable } from "../../Domain/text/Printable.ts"
import { Caller } from "../daemon/Caller.ts"
import { SystemdTools, type ToolAnswer } from "../systemd/SystemdTools.ts"

/** This user has no systemd manager. */
class NoUserManager extends Data.TaggedError("NoUserManager")<{
  /** Continues the message after a colon. */
  readonly reason: string
  /** The action, in whole sentences. */
  readonly fix: string
}> {
  override get message(): string {
    return `No systemd user manager was found: ${this.reason}. ${this.fix}`
  }
}

/** systemctl failed. */
class SystemctlFailed extends Data.TaggedError("SystemctlFailed")<{
  /** The command line. */
  readonly command: string
  /** Its standard error, on one line. */
  readonly said: string
}> {
  override get message(): string {
    return `${this.command} failed: ${this.said === "" ? "it printed no reason" : this.said}`
  }
}

interface UnitState {
  /** `loaded`, `not-found`, `masked`, `bad-setting`, `error`. */
  readonly load: string
  /** `active`, `inactive`, `failed`, `activating`, `deactivating`, `reloading`. */
  readonly active: string
  /** A detail of it: `running`, `auto-restart`, ... */
  readonly sub: string
  /** `enabled`, `disabled`, `masked`, ... Empty without a file. */
  readonly file: string
  /** Undefined while there is no main process. */
  readonly mainPid: number | undefined
  /** The file has changed since systemd read it. */
  readonly isStale: boolean
  /** Set where its process does not stay. */
  readonly trouble: UnitTrouble | undefined
}

/** The user's systemd manager. */
export class UserManager extends Context.Tag("UserManager")<
  UserManager,
  {
    /** Returns whether the manager loads units from a folder. */
    readonly looksIn: Effect.Effect<(folder: string) => boolean, NoUserManager>
    /** The environment of its services. Empty where it cannot be read. */
    readonly environment: Effect.Effect<Readonly<Record<string, string>>, NoUserManager>
    readonly unit: (name: string) => Effect.Effect<UnitState, NoUserManager>
    /** Runs `systemctl --user` and returns when it is done, however long a start or a stop takes. */
    readonly systemctl: (
      ...args: ReadonlyArray<string>
    ) => Effect.Effect<void, NoUserManager | SystemctlFailed>
    /**
     * The last lines of the unit's processes in the journal since a time, in milliseconds since 1970. None where the
     * journal cannot be read.
     */
    readonly journal: (name: string, sinceMs: number) => Effect.Effect<ReadonlyArray<string>>
    /** Whether the user's services run while the user is logged out; undefined where that is unknown. */
    readonly lingers: Effect.Effect<boolean | undefined>
  }
>() {}

const properties = [...troubleProperties, "LoadState", "UnitFileState", "MainPID", "NeedDaemonReload"]

const Environment = Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.String }))

const journalLines = 20

/** The user's name as logind knows it. USER may hold another. */
const ownName = (environment: Readonly<Record<string, string | undefined>>): string | undefined => {
  try {
    return userInfo().username
  } catch {
    // A container's user may have no name.
    return environment["USER"]
  }
}

const make = Effect.gen(function* () {
  const tools = yield* SystemdTools
  const { environment } = yield* Caller
  const name = ownName(environment)
  const fix =
    `Log in as that user at the machine or by ssh, or run: machinectl shell ${name ?? "USER"}@. ` +
    `To keep a manager running without a login: loginctl enable-linger ${name ?? "USER"}`
  const none = (reason: string) => new NoUserManager({ reason, fix })

  /** systemctl's own message hides the usual reason. */
  const whyNoBus = (said: string) =>
    ["XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"].every((name) => (environment[name] ?? "") === "")
      ? "XDG_RUNTIME_DIR is not set, which is usual after su or sudo"
      : `it does not answer (${printable(said, 300)})`

  const run = Effect.fnUntraced(function* (args: ReadonlyArray<string>, limit?: Duration.DurationInput) {
    const answer = yield* tools.run("systemctl", ["--user", ...args], limit).pipe(
      Effect.mapError(({ problem }) =>
        problem.includes("not installed")
          ? new NoUserManager({
              reason: `systemctl ${problem}`,
              fix: "Without systemd, autopilotd start --detach runs the daemon in the background."
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

  /** For queries, which fail only without a manager. */
  const query = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
    const { code, stderr, stdout } = yield* run(args)
    return code === 0 ? stdout : yield* none(whyNoBus(stderr.trim()))
  })

  const lingers: Effect.Effect<boolean | undefined> = Effect.gen(function* () {
    const uid = String(process.getuid?.() ?? "")
    const answer: ToolAnswer | undefined = yield* tools
      .run("loginctl", ["show-user", uid, "--property=Linger", "--value"])
      .pipe(Effect.orElseSucceed(() => undefined))
    const value = answer?.code === 0 ? answer.stdout.trim() : ""
    if (value === "yes" || value === "no") return value === "yes"
    // Without logind, or for a user without a session: logind keeps the setting as a file.
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
    looksIn: Effect.map(query("show", "--property=UnitPath", "--value"), (paths) => {
      const folders = ` ${paths.trim()} `
      return (folder: string) => folders.includes(` ${folder} `)
    }),
    environment: Effect.map(query("show-environment", "--output=json"), (text) =>
      Option.getOrElse(Schema.decodeOption(Environment)(text), () => ({}))
    ),
    unit: (unit) =>
      Effect.map(query("show", unit, `--property=${properties.join(",")}`), (text) => {
        const values = systemdProperties(text)
        const pid = Number(values.get("MainPID") ?? 0)
        return {
          load: values.get("LoadState") ?? "",
          active: values.get("ActiveState") ?? "",
          sub: values.get("SubState") ?? "",
          file: values.get("UnitFileState") ?? "",
          mainPid: pid > 0 ? pid : undefined,
          isStale: values.get("NeedDaemonReload") === "yes",
          trouble: troubleIn(unit.replace(/\.service$/, ""), values)
        }
      }),
    systemctl: (...args) =>
      Effect.flatMap(run(args, Duration.infinity), ({ code, stderr }) =>
        code === 0
          ? Effect.void
          : new SystemctlFailed({
              command: ["systemctl", "--user", ...args].join(" "),
              said: printable(stderr.trim().split("\n").join(" "), 500)
            })
      ),
    journal: (unit, sinceMs) =>
      tools
        .run("journalctl", [
          "--user",
          // Lines of the unit's processes, without systemd's own about the unit.
          `_SYSTEMD_USER_UNIT=${unit}`,
          `--since=@${(sinceMs / 1000).toFixed(6)}`,
          `--lines=${journalLines}`,
          "--output=cat",
          "--no-pager"
        ])
        .pipe(
          Effect.map(({ code, stdout }) =>
            code === 0 ? stdout.split("\n").filter((line) => line !== "") : []
          ),
          Effect.orElseSucceed(() => [])
        ),
    lingers
  })
})

export const layer: Layer.Layer<UserManager, never, SystemdTools | Caller> = Layer.effect(UserManager, make)
