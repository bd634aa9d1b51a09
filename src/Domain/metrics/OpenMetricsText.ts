import type { MetricFamily } from "./MetricFamily.ts"
import { escapedQuoted, sampleLine } from "./PrometheusText.ts"

/** There, a family has its name without `_total`, which only the samples of a counter carry. */
const familyLines = ({ help, kind, name, samples, unit }: MetricFamily): ReadonlyArray<string> => {
  const family = kind === "counter" ? name.replace(/_total$/, "") : name
  return [
    `# TYPE ${family} ${kind}`,
    ...(unit === undefined ? [] : [`# UNIT ${family} ${unit}`]),
    `# HELP ${family} ${escapedQuoted(help)}`,
    ...samples.map((sample) => sampleLine(name, sample))
  ]
}

/** The text format of OpenMetrics, version 1.0.0: https://github.com/prometheus/OpenMetrics */
export const openMetricsText = (families: ReadonlyArray<MetricFamily>): string =>
  `${families.flatMap(familyLines).join("\n")}\n# EOF\n`
