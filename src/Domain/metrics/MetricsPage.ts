import { generatedNote, markdownTable } from "../text/Markdown.ts"
import { metricHeads } from "./MetricFamilies.ts"
import type { MetricHead } from "./MetricFamily.ts"
import { relayMetricHeads } from "./RelayMetrics.ts"

const introduction = `\`autopilotd metrics\` prints everything that the daemon counts and measures, once, in the text format of Prometheus.
\`--openmetrics\` prints the format of OpenMetrics 1.0.0, and \`--json\` the answer of the control socket
([protocol.md](protocol.md), \`Metrics\`). Without a daemon the text is \`autopilotd_up 0\`, and the exit code is 3.
[relay.md](relay.md) has the other two ways out: an address for Prometheus to scrape, and a push to an OTLP receiver.`

const textfile = `## With node_exporter

\`--output FILE\` writes the text into a file, whole or not at all, for the textfile collector of node_exporter, which reads
each file whose name ends in \`.prom\`. A timer of systemd for the user that runs the daemon, with the folder of Debian's package
(give that user the right to write there):

\`\`\`ini
# ~/.config/systemd/user/autopilotd-metrics.service
[Service]
Type=oneshot
ExecStart=%h/.autopilot/bin/autopilotd metrics --output /var/lib/prometheus/node-exporter/autopilotd.prom

# ~/.config/systemd/user/autopilotd-metrics.timer
[Timer]
OnCalendar=*:*:00/30

[Install]
WantedBy=timers.target
\`\`\`

With \`--output\` the exit code is 0 also when no daemon runs or it does not answer: then \`autopilotd_up 0\` stands in the file,
which is what the timer is for. 1 means that the file is as it was. A file that nobody writes any more stays true for ever:
alert on \`node_textfile_mtime_seconds\` as well.`

const reading = `## How to read them

* **Actions per minute (APM)**: \`rate(autopilotd_agent_actions_total[5m]) * 60\`. An action is a message or a tool call of the
  agent, those of its subagents included. Rates themselves are not exported.
* Counters begin at 0 when the daemon starts, and never fall while it runs; \`rate()\` and \`increase()\` handle its restarts.
  The cost of the last answers of a running agent is an estimate, so its counter may stand still when the price is told.
* What is not known is absent, never 0: the memory of a worker that does not run, the cost where the agent tells no price. A
  project has each \`state\` and each \`verdict\` from its first scrape on.
* Memory is what the daemon sees, in its cgroup. The instance and the host are labels of the scrape, not of autopilotd.`

const tableOf = (heads: ReadonlyArray<MetricHead>): string =>
  markdownTable(
    ["metric", "kind", "labels", "meaning"],
    heads.map(({ help, kind, labels, name }) => [
      `\`${name}\``,
      kind,
      labels.map((label) => `\`${label}\``).join(", "),
      help.replace(/\.$/, "")
    ])
  )

const ofRelay = `## Metrics of the relay

The [relay](relay.md) adds what only it knows, where it serves \`/metrics\` and where it pushes: \`autopilotd metrics\` does not have
these. Notifications are counted for each channel of the settings, exports where \`metrics.otlp\` is set, the time of a scrape in
\`/metrics\`. The counters begin at 0 with the relay, which a reload that changes its settings starts anew.`

const alerts = `## Rules and a dashboard

\`examples/monitoring/rules.yml\` has a recording rule of the actions per minute and alerts: no daemon answers, a worker has
failed, a crash loop, a usage limit longer than a day, critical memory, a budget spent to 80 %, notifications that fail, a file of
node_exporter that is no longer written. \`examples/monitoring/dashboard.json\` is a dashboard for Grafana. Both are in the npm package.`

const agents = `## The metrics of Claude Code itself

Claude Code has metrics of its own: \`claude_code.token.usage\`, \`claude_code.cost.usage\`, \`claude_code.active_time.total\` and
more. With \`[metrics] agent = true\` the daemon sets the variables that switch them on for each worker that is Claude Code:
by OTLP over HTTP to \`OTEL_EXPORTER_OTLP_ENDPOINT\` of its environment (\`http://localhost:4318\` without one), cumulative, with the
attribute \`project\` as here, without the session. A variable that you have set yourself stays as it is, and no prompt or answer
is sent.`

/** The text of docs/metrics.md. */
export const metricsPage = (): string =>
  [
    "# Metrics",
    generatedNote,
    introduction,
    textfile,
    reading,
    alerts,
    agents,
    "## All metrics",
    tableOf(metricHeads),
    ofRelay,
    tableOf(relayMetricHeads)
  ]
    .join("\n\n")
    .concat("\n")
