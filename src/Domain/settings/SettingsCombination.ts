import * as Schema from "effect/Schema"
import { humanBytes } from "../text/HumanBytes.ts"
import { type RawSettings, valueAt } from "../toml/RawSettings.ts"
import { RestartSettings } from "./RestartSettings.ts"
import type { KeyProblem } from "./SettingsProblem.ts"

const policy = Schema.decodeUnknownSync(RestartSettings)({})
const initialPath = ["restart", "initial_backoff_ms"]
const maxPath = ["restart", "max_backoff_ms"]

/** Where the other value of a pair comes from, if it is not set beside the first. */
const origin = (raw: RawSettings, own: RawSettings, path: ReadonlyArray<string>) =>
  valueAt(own, path) !== undefined ? "own" : valueAt(raw, path) !== undefined ? "inherited" : "default"

const backoff = (raw: RawSettings, own: RawSettings): ReadonlyArray<KeyProblem> => {
  const initialMs = valueAt(raw, initialPath) ?? policy.initialBackoffMs
  const maxMs = valueAt(raw, maxPath) ?? policy.maxBackoffMs
  if (typeof initialMs !== "number" || typeof maxMs !== "number" || initialMs <= maxMs) return []
  const initialFrom = origin(raw, own, initialPath)
  const maxFrom = origin(raw, own, maxPath)
  if (initialFrom === "own") {
    const from = { own: "", inherited: ", inherited from the top level", default: " by default" }[maxFrom]
    return [{ path: initialPath, reason: `(${initialMs}) is above restart.max_backoff_ms (${maxMs}${from})` }]
  }
  if (maxFrom !== "own") return []
  const from = initialFrom === "default" ? "by default" : "inherited from the top level"
  return [
    {
      path: maxPath,
      reason: `(${maxMs}) is below restart.initial_backoff_ms, which is ${initialMs} ${from}`
    }
  ]
}

const thresholds = (own: RawSettings): ReadonlyArray<KeyProblem> => {
  const critical = valueAt(own, ["memory", "critical_threshold_bytes"])
  const low = valueAt(own, ["memory", "min_available_bytes"])
  if (typeof critical !== "number" || typeof low !== "number" || critical < low) return []
  const figures = `${humanBytes(critical)}) must be below memory.min_available_bytes (${humanBytes(low)})`
  return [{ path: ["memory", "critical_threshold_bytes"], reason: `(${figures}` }]
}

/**
 * Settings that are right one by one but not together. They are compared as they stand, so that nothing hides them.
 * `own` are those of one place, which is told if it is at fault; `raw` also has what that place inherits.
 */
export const impossibleTogether = (raw: RawSettings, own: RawSettings = raw): ReadonlyArray<KeyProblem> => [
  ...backoff(raw, own),
  ...thresholds(own)
]

/** The same, only of what stands in one place itself: what it does not set may be anything. */
export const impossibleHere = (own: RawSettings): ReadonlyArray<KeyProblem> => [
  ...(valueAt(own, initialPath) === undefined || valueAt(own, maxPath) === undefined
    ? []
    : backoff(own, own)),
  ...thresholds(own)
]
