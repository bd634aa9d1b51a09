// Memory of the last day, for the demo of the panel: a worker that grows until it is started again.
import { totalmem } from "node:os"

const gib = 2 ** 30

const tier = (project, nowMs, widthMs, spanMs) => {
  const total = totalmem()
  const end = Math.floor(nowMs / widthMs) * widthMs
  const at = Array.from({ length: spanMs / widthMs }, (_, n) => end - spanMs + n * widthMs)
  // Twice an hour the worker starts again; the rest breathes a little.
  const held = at.map((ms) => Math.round((0.3 + ((ms / 60_000) % 34) / 14) * gib))
  const others = at.map((ms) => 0.12 * total + 0.02 * total * Math.sin(ms / 400_000))
  return {
    width_ms: widthMs,
    at_ms: at,
    available_bytes: at.map((_, n) => Math.round(Math.max(gib / 2, total - others[n] - 2.4 * held[n]))),
    limits: [{ at_ms: at[0], total_bytes: total, low_bytes: 2 * gib, critical_bytes: gib }],
    trees: { [project]: held }
  }
}

/** The file `samples` of a home. */
export const demoSamples = (project, nowMs) =>
  JSON.stringify({
    version: 1,
    fine: tier(project, nowMs, 10_000, 3_600_000),
    coarse: tier(project, nowMs, 60_000, 86_400_000)
  })
