import type { OutputStream } from "../output/OutputTail.ts"

/** How much a line matters, guessed from its words. */
export type LineLevel = "info" | "warning" | "error"

/** The words of loggers stand in capitals, as a key, or before a colon; a sentence about errors has none of these. */
const error =
  /\bERR!|\b(?:ERROR|FATAL|CRITICAL|PANIC|EMERG|SEVERE|FAIL(?:ED)?)\b|\b(?:error|fatal|panic|exception)\b(?:\[\w+\])?:|^\w*(?:Error|Exception)\b|\blevel"?[=:] ?"?(?:error|fatal|panic|critical|[56]0)\b|^Traceback \(|\bpanicked at\b|\bSegmentation fault\b|\bUnhandled\b/
const warning = /\b(?:WARN(?:ING)?)\b|\bwarn(?:ing)?\b(?:\[\w+\])?:|\blevel"?[=:] ?"?(?:warn(?:ing)?|40)\b/
const calm = /\b(?:INFO|DEBUG|TRACE|NOTICE)\b|\blevel"?[=:] ?"?(?:info|debug|trace|[123]0)\b/

/** A logger names the level at the beginning. */
const searchedLength = 300

/**
 * The level of a line without escape sequences. A line on standard error that names none counts as a warning: compilers
 * and package managers report their progress there.
 */
export const lineLevel = (text: string, stream: OutputStream | "note"): LineLevel => {
  const start = text.slice(0, searchedLength)
  if (stream === "note") return start.includes("dropped") ? "warning" : "info"
  if (error.test(start)) return "error"
  if (warning.test(start)) return "warning"
  return stream === "err" && !calm.test(start) ? "warning" : "info"
}
