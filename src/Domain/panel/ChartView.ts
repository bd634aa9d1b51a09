import * as Schema from "effect/Schema"
import { type Html, nothing } from "./Html.ts"

/** The time ranges of the memory chart. */
export const ChartRange = Schema.Literal("15m", "1h", "6h", "24h")
export type ChartRange = typeof ChartRange.Type

/** The card of the chart, and the strip of the last hour: their frames, which hold no data. */
export const chartCard: Html = nothing
export const beatsStrip: Html = nothing
