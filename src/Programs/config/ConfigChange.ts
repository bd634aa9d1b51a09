import * as Arr from "effect/Array"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { argumentOf, type Invocation } from "../../Domain/cli/CommandLine.ts"
import { amountWithUnit } from "../../Domain/config/AmountWithUnit.ts"
import { problemLine } from "../../Domain/config/ChangesText.ts"
import { lineBefore } from "../../Domain/config/EditNotes.ts"
import type { ConfigProblem } from "../../Domain/config/SettingsData.ts"
import { hoistable } from "../../Domain/settings/SettingsHoist.ts"
import type { SettingsError } from "../../Domain/settings/SettingsProblem.ts"
import { printable } from "../../Domain/text/Printable.ts"
import { acceptedKeyPath, type KeyPath, keyPathText } from "../../Domain/toml/KeyPath.ts"
import { tomlText } from "../../Domain/toml/RawSettings.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { setKey, unsetKey, valueTextAt } from "../../Layers/toml/TomlEdit.ts"
import { sayDone } from "../Answer.ts"
import { Refused } from "../Refused.ts"
import { type NotWritten, type OpenSettings, openSettings } from "./OpenSettings.ts"
import { sayWritten, type Written } from "./WrittenSettings.ts"

/** The path of the setting that the command is about. */
const pathOf = (invocation: Invocation): KeyPath => {
  const { project } = invocation.options
  const path = acceptedKeyPath(argumentOf(invocation, "key"))
  return project === undefined ? path : ["projects", project, ...path]
}

/** The number for a value with a unit, such as 20s, where the setting counts milliseconds or bytes. */
const amountIn = (invocation: Invocation): number | undefined => {
  const { value } = invocation.args
  return value === undefined ? undefined : amountWithUnit(pathOf(invocation).at(-1) ?? "", value)
}

/** The second place that a setting of the top level may have. */
const insideWorkerCommand = (path: KeyPath): KeyPath | undefined => {
  const name = path.at(-1) ?? ""
  const isOfProject = path.length === 3 && path[0] === "projects"
  return (path.length === 1 || isOfProject) && hoistable.includes(name)
    ? [...path.slice(0, -1), "worker_command", name]
    : undefined
}

/** Every place of the setting in the text; its usual place if there is none. */
const placesOf = Effect.fnUntraced(function* (text: string, path: KeyPath) {
  const hoisted = insideWorkerCommand(path)
  // forEach keeps the order, which filter does not: a refusal has the name that the user has typed.
  const found = yield* Effect.forEach(hoisted === undefined ? [path] : [path, hoisted], (place) =>
    Effect.map(valueTextAt(text, place), (value) => (value === undefined ? [] : [place]))
  )
  const places = found.flat()
  return Arr.isNonEmptyArray(places) ? places : Arr.of(path)
})

/** The change makes the settings invalid. The lines are those of the present file. */
class SettingRefused extends Data.TaggedError("SettingRefused")<{
  readonly path: string
  readonly problems: ReadonlyArray<ConfigProblem>
}> {
  override get message(): string {
    const lines = this.problems.map((problem) => problemLine(problem, this.path))
    return [...lines, "Nothing was changed."].join("\n")
  }
}

const setAt = (text: string, places: ReadonlyArray<KeyPath>, value: string) =>
  Effect.reduce(places, text, (before, place) => setKey(before, place, value))

/** The texts that `config set` may mean: with the value as TOML, and with it as a string. The first is likelier. */
const textsWith = Effect.fnUntraced(function* (invocation: Invocation, text: string) {
  const amount = amountIn(invocation)
  const value = amount === undefined ? argumentOf(invocation, "value") : String(amount)
  const places = yield* placesOf(text, pathOf(invocation))
  const asText = yield* setAt(text, places, tomlText(value))
  return yield* setAt(text, places, value.trim()).pipe(
    Effect.map((asToml) => [asToml, asText] as const),
    Effect.catchIf(
      ({ obstacle }) => obstacle._tag === "WrongValue",
      () => Effect.succeed([asText] as const)
    )
  )
})

const textsWithout = Effect.fnUntraced(function* (invocation: Invocation, text: string) {
  const places = yield* placesOf(text, pathOf(invocation))
  return [yield* Effect.reduce(places, text, unsetKey)] as const
})

/** The problems of an edited text, at the lines of the present file: the user has not seen the edited one. */
const problemsIn = (
  open: OpenSettings,
  text: string,
  { problems }: SettingsError
): ReadonlyArray<ConfigProblem> =>
  problems.map(({ column, key, line, nearest, reason }) => {
    const before = line === undefined ? undefined : lineBefore(open.current.text, text, line)
    return {
      ...(before === undefined ? {} : { line: before }),
      ...(before === undefined || column === undefined ? {} : { column }),
      ...(key === undefined ? {} : { key }),
      reason,
      ...(nearest === undefined ? {} : { nearest })
    }
  })

/** Writes the first text that makes valid settings. Fails with the problems of the first one. */
const write = (
  open: OpenSettings,
  [text, other]: readonly [text: string, other?: string],
  dryRun: boolean
): Effect.Effect<Written, SettingRefused | Exclude<NotWritten, SettingsError>> =>
  open.set(text, { dryRun }).pipe(
    Effect.map((written) => ({ open, written })),
    Effect.catchTag("SettingsError", (error) => {
      const { path } = open.current
      const refused = new SettingRefused({ path, problems: problemsIn(open, text, error) })
      return other === undefined
        ? refused
        : Effect.catchTag(write(open, [other], dryRun), "SettingRefused", () => refused)
    })
  )

/** Each stale answer means that another writer was faster: so many writers may work at once. */
const maxRepetitions = 100

/** The jitter keeps writers that were stale together from trying again together. */
const afterAnother = Schedule.exponential("40 millis", 1.5).pipe(
  Schedule.union(Schedule.spaced("1 second")),
  Schedule.jitteredWith({ min: 0.25, max: 1.75 }),
  Schedule.intersect(Schedule.recurs(maxRepetitions))
)

const make = (textsOf: typeof textsWith | typeof textsWithout, same: string) =>
  Effect.fnUntraced(function* (invocation: Invocation) {
    const { out } = yield* CommandOutput
    const { dryRun, json } = invocation.options
    const attempt = Effect.gen(function* () {
      const open = yield* openSettings(invocation)
      const texts = yield* textsOf(invocation, open.current.text)
      return texts[0] === open.current.text ? undefined : yield* write(open, texts, dryRun === true)
    })
    const done = yield* attempt.pipe(
      Effect.retry({
        // If the daemon exits in between, the next attempt writes the file directly.
        while: ({ _tag }) => _tag === "StaleSettings" || _tag === "NotRunning",
        schedule: afterAnother
      }),
      Effect.catchTag(
        "SettingRefused",
        ({ message, problems }) =>
          new Refused({ reason: message, code: "settings_invalid", data: { problems } })
      )
    )
    const meant = pathOf(invocation).join(".")
    if (done !== undefined) {
      const amount = amountIn(invocation)
      if (amount !== undefined && !json)
        yield* out(`${printable(argumentOf(invocation, "value").trim())} is written as ${amount}.\n`)
      return yield* sayWritten(invocation, done, (key) => key === meant || key.startsWith(`${meant}.`))
    }
    const message = `${printable(keyPathText(pathOf(invocation)))} ${same}: nothing was changed`
    yield* sayDone(invocation, { message }, `${message}.\n`)
  })

/** `autopilotd config set`: one setting, the rest of the file as it is. */
export const configSet = make(textsWith, "has this value already")

/** `autopilotd config unset`: the file without one setting. */
export const configUnset = make(textsWithout, "is not set")
