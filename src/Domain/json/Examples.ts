import type { StatusData } from "../status/StatusData.ts"
import type { JsonAnswer } from "./JsonAnswer.ts"

const status: StatusData = {
  worker_status: "restarting",
  worker_pid: null,
  uptime_seconds: 0,
  total_restarts: 3,
  consecutive_failures: 2,
  memory_available_bytes: 11_450_974_208,
  memory_total_bytes: 16_777_216_000,
  memory_level: "plentiful",
  project: "shop",
  selected_project: "shop",
  reason: "exit code 1 after 4 minutes; last output: Error: connect ECONNREFUSED 127.0.0.1:5432",
  next_start_at_ms: 1_795_993_512_000,
  last_exit: "exit code 1 after 4 minutes; last output: Error: connect ECONNREFUSED 127.0.0.1:5432",
  last_verdict: "crash",
  last_exit_code: 1,
  turns: 12,
  cost_micro_usd: 420_000,
  working_dir: "/home/ada/code/shop",
  daemon_pid: 4711,
  daemon_uptime_seconds: 21_600,
  last_agent: { name: "claude", turns: 12, cost_micro_usd: 420_000, cost_is_exact: true },
  projects: { restarting: 1 }
}

/** `autopilotd status --json`, shortened. */
export const statusExample: JsonAnswer = { success: true, message: "Worker is restarting", data: status }

/** `autopilotd status --json` without a daemon. */
export const errorExample: JsonAnswer = {
  success: false,
  message: "No daemon is listening on /home/ada/.autopilot/autopilotd.sock. Start it with: autopilotd start",
  code: "no_daemon"
}
