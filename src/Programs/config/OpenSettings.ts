import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import type { ConfigText, ConfigWritten } from "../../Domain/config/SettingsData.ts"
import { requestLimits } from "../../Domain/control/ControlFraming.ts"
import type { ReplyTo } from "../../Domain/control/ControlProtocol.ts"
import { encodeRequest } from "../../Domain/control/ControlReply.ts"
import { knownCode } from "../../Domain/control/ErrorCode.ts"
import { SettingsError } from "../../Domain/settings/SettingsProblem.ts"
import { SettingsStore } from "../../Layers/config/SettingsStore.ts"
import type { ControlClientError } from "../../Layers/control/ControlClient.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { type SettingsNotWritten, StaleSettings } from "../../Layers/settings/SettingsReplacement.ts"
import { Refused } from "../Refused.ts"

/** The settings were not written. */
export type NotWritten = SettingsError | StaleSettings | SettingsNotWritten | ControlClientError | Refused

/** The settings file as it was read, and the way to write it back. */
export interface OpenSettings {
  readonly current: ConfigText
  /** The process that reads and writes the file: the running daemon, or this command. */
  readonly through: "daemon" | "file"
  /** Writes a new text, if the file is still the one that was read. A dry run only returns the changes. */
  readonly set: (
    text: string,
    options: { readonly dryRun: boolean }
  ) => Effect.Effect<ConfigWritten, NotWritten>
}

/** The time limits of a request that checks and writes a file on a disk, which may be busy. */
const patience = { firstByteMs: 30_000, wholeMs: 30_000 } as const

const tooLong = (path: string) =>
  `${path} is too long for the control socket, which takes ${requestLimits.maxBytes} bytes. ` +
  `Nothing was changed. Name the file instead: --config ${path}`

const writtenBy = (
  reply: ReplyTo<"SetConfig">,
  path: string
): Effect.Effect<ConfigWritten, SettingsError | StaleSettings | Refused> => {
  const { data } = reply
  if (data !== undefined && "written" in data) return Effect.succeed(data)
  if (data?.stale_sha256 !== undefined) return new StaleSettings({ path, sha256: data.stale_sha256 })
  if (data === undefined || data.problems.length === 0)
    return new Refused({ reason: reply.message, code: knownCode(reply.code) })
  return Effect.fail(
    new SettingsError({
      problems: data.problems.map((problem) => ({
        ...(problem.line === undefined ? {} : { file: path }),
        ...problem
      }))
    })
  )
}

const throughDaemon = Effect.gen(function* () {
  const { request } = yield* ControlClient
  const reply = yield* request({ type: "GetConfig" }, patience)
  const current = reply.data
  if (!reply.success || current === undefined || "problems" in current) {
    return yield* new Refused({ reason: reply.message, code: knownCode(reply.code) })
  }
  const { path, sha256 } = current
  return {
    current,
    through: "daemon",
    set: (text, { dryRun }) => {
      const asked = { type: "SetConfig", text, sha256, dry_run: dryRun } as const
      return new TextEncoder().encode(encodeRequest(asked)).length > requestLimits.maxBytes
        ? new Refused({ reason: tooLong(path), code: "settings_not_written" })
        : Effect.flatMap(request(asked, patience), (answer) => writtenBy(answer, path))
    }
  } satisfies OpenSettings
})

const throughFile = Effect.gen(function* () {
  const store = yield* SettingsStore
  const current = yield* store.get
  const { sha256 } = current
  return {
    current,
    through: "file",
    set: (text, { dryRun }) => store.set({ text, sha256, dryRun })
  } satisfies OpenSettings
})

/** Reads the settings file: through the daemon if one runs and there is no `--config`, else directly. */
export const openSettings = ({
  options
}: Pick<Invocation, "options">): Effect.Effect<
  OpenSettings,
  SettingsError | ControlClientError | Refused,
  ControlClient | SettingsStore
> =>
  options.config === undefined ? Effect.catchTag(throughDaemon, "NotRunning", () => throughFile) : throughFile
