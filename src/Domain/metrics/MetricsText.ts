import { metricFamilies } from "./MetricFamilies.ts"
import type { MetricsData } from "./MetricsData.ts"
import { openMetricsText } from "./OpenMetricsText.ts"
import { prometheusText } from "./PrometheusText.ts"

/** The text of `autopilotd metrics`; undefined data: the daemon has not answered. */
export const metricsText = (data: MetricsData | undefined, isOpenMetrics: boolean): string => {
  const families = metricFamilies(data)
  return isOpenMetrics ? openMetricsText(families) : prometheusText(families)
}
