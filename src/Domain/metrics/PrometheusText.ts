import type { MetricFamily, MetricSample } from "./MetricFamily.ts"

/** A backslash and a newline, as they stand in the text. */
const escapedText = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")

export const escapedQuoted = (text: string): string => escapedText(text).replaceAll('"', '\\"')

/** One line: name, labels and value. Its newline is not part of it. */
export const sampleLine = (name: string, { labels, value }: MetricSample): string => {
  const written = labels.map(([label, text]) => `${label}="${escapedQuoted(text)}"`).join(",")
  return `${name}${written === "" ? "" : `{${written}}`} ${value}`
}

const familyLines = ({ help, kind, name, samples }: MetricFamily): ReadonlyArray<string> => [
  `# HELP ${name} ${escapedText(help)}`,
  `# TYPE ${name} ${kind}`,
  ...samples.map((sample) => sampleLine(name, sample))
]

/** The text format of Prometheus, version 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats */
export const prometheusText = (families: ReadonlyArray<MetricFamily>): string =>
  `${families.flatMap(familyLines).join("\n")}\n`
