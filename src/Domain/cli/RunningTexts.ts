import type { CommandTexts } from "./CommandTexts.ts"

/** The texts of the commands that start, stop and limit workers. */
export const runningTexts = {
  start: {
    summary: "Start the daemon and its worker (the default)",
    details:
      "Runs in the foreground until Ctrl-C, or in the background with --detach; where the systemd service is installed, --detach starts the service. --detach prints the first state of the workers, and exits with code 1 when one does not run. Arguments after -- are the worker's command line; without them, the settings name the worker. The command line is passed on unchanged, but that --model, --max-budget and --max-turns become the options of an agent that autopilotd knows; with any other program they are refused. --project selects the project of that name in the settings; a name without a table of its own becomes the name of the top level's project. --exit-when-finished is for a Job, a batch or a CI step: the daemon ends when no worker runs, waits or will be restarted. It exits with 0 when all work is finished, else with the worst of: 75 a usage limit or an API that is down, where restart.on says stop; 5 stopped by a user; 1 failed; 77 a login is needed; 78 settings or arguments allow no start. SIGTERM before the work is finished makes it 143, Ctrl-C 130. A project that a reload or autopilotd run adds counts too; one without autostart that nobody has started does not. With --keep-state a worker that had finished or failed before counts as that, and is not started. --termination-log keeps in FILE what the workers have come to, in at most 4096 bytes.",
    examples: [
      "autopilotd start --exit-when-finished -- claude -p 'Fix the failing tests'",
      "autopilotd start --workdir ~/code/shop --project shop --detach",
      "autopilotd start --model opus --max-turns 200",
      "autopilotd start -- claude -p 'Fix the failing tests'"
    ]
  },
  run: {
    summary: "Run one more agent beside those that run",
    details:
      "Adds a project for the command after -- and starts its worker at once, in the current folder or that of --workdir, without a change of the settings. Without --project it is named after the folder. It is a project like the others until autopilotd stop; a daemon that was killed, and the service after a reboot, have it again. --save also writes it to the settings file. The program is that of the caller's PATH; the environment is the daemon's, with the env file. Where no daemon runs, starts one in the background. Exits with code 1 when the worker does not run.",
    examples: [
      "autopilotd run -- claude -p 'Write the missing tests'",
      "autopilotd run --project docs --save -- claude -p 'Bring the docs up to date'"
    ]
  },
  switch: {
    summary: "Select another project and start its worker",
    details:
      "Stops the worker of the selected project and starts the other one after the last process of the first has exited. With --keep, both run. On a terminal it asks before it stops a worker that is running, unless --yes; a script is never asked. Returns when the switch is complete.",
    examples: ["autopilotd switch shop", "autopilotd switch shop --keep"]
  },
  use: {
    summary: "Select another project, and leave all workers alone",
    details:
      "Commands that name no project act on the selected one from then on, also after a restart of the daemon. Starts and stops nothing, unlike switch.",
    examples: ["autopilotd use shop"]
  },
  "start-worker": {
    summary: "Start a worker that is stopped, failed or waiting",
    details: "Resets the failure count.",
    examples: ["autopilotd start-worker", "autopilotd start-worker shop blog"]
  },
  "stop-worker": {
    summary: "Stop the worker and every process it started",
    details:
      "The daemon keeps running. The worker stays stopped until start-worker, restart-worker or the next start of the daemon by a user.",
    examples: ["autopilotd stop-worker", "autopilotd stop-worker shop"]
  },
  "restart-worker": {
    summary: "Stop the worker, then start it again",
    details:
      "Also starts a worker that is stopped, failed or waiting. Without a name it restarts the worker of the selected project, and says which that is; the other workers keep running.",
    examples: ["autopilotd restart-worker shop --no-wait"]
  },
  stop: {
    summary: "Stop the daemon and the workers of all its projects",
    details:
      "Returns when the daemon has exited, so that another can start at once. Fails when a process of a worker could not be killed. Without a daemon it stops the workers that a killed daemon has left, and succeeds also when there are none. Takes no --project: all workers stop with the daemon. stop-worker stops one worker.",
    examples: ["autopilotd stop && autopilotd start --detach"]
  },
  "budget show": {
    summary: "Show what the agents have spent",
    details:
      "Lists each project whose agent the daemon knows: the cost and the turns of its work over all runs, its spending today, the limits, and the session that the next run continues. Exits with code 3 when no daemon is running.",
    examples: ["autopilotd budget show", "autopilotd budget show --json"]
  },
  "budget reset": {
    summary: "Begin another work: a new session, and the budget from zero",
    details:
      "max_budget and max_turns are for a work, over all runs of the agent. A running agent keeps its session and the limits that it was started with. The spending of the day stays. Starts nothing: after it, start-worker starts a worker that has used up its budget.",
    examples: ["autopilotd budget reset shop && autopilotd start-worker shop"]
  },
  relay: {
    summary: "Tell the outside what the daemon does: heartbeat, metrics",
    details:
      "Runs in the foreground until Ctrl-C, as a client of the daemon: nothing that goes wrong in it touches a worker. Sends a heartbeat to the URL in the file heartbeat.url_file every heartbeat.interval_ms while the daemon answers; a service such as healthchecks.io or Uptime Kuma raises an alarm when it misses one, also when the whole machine is down. A worker that has failed reports failure. Serves /metrics for Prometheus, /healthz and /readyz at the address metrics.listen. The daemon starts a relay by itself when its settings give one something to do, and shows it in status and doctor while it fails; this command is for trying the settings out, without that. It is refused while another relay of this AUTOPILOT_HOME runs, and where nothing is configured for it. With --host it follows the daemon of that machine from here, over ssh, and tells the channels of notify.to and the receiver of metrics.otlp in the settings of this machine, with the name of the host; --metrics-port serves its metrics. A connection that is cut is tried again after 1 to 60 seconds, and what has happened meanwhile is told then.",
    examples: [
      "autopilotd config set heartbeat.url_file heartbeat.url",
      "autopilotd relay",
      "autopilotd relay --host box"
    ]
  },
  "dial-stdio": {
    summary: "Join standard input and output with the daemon",
    details:
      "Writes the line autopilotd dial-stdio 1, then passes bytes between its standard streams and the control socket, until one side ends: one request and its answer, or a subscription. It is how a client on another machine reaches this daemon, over ssh. --read-only passes only requests that change nothing and show nothing of the settings file; as a forced command in authorized_keys, it makes a key that can only look. docs/protocol.md has the requests. Exits with code 3 when no daemon is running.",
    examples: ["autopilotd dial-stdio --read-only"]
  },
  gui: {
    summary: "Serve the web panel on this machine",
    details:
      "Prints a link that holds the panel's token, and serves the panel on 127.0.0.1 until Ctrl-C, whether or not a daemon is running. --open opens the link in the browser. --start starts the daemon first where none runs; --workdir and --project apply to that start, and to the panel's own Start button. Where a panel of this AUTOPILOT_HOME runs already, as the service of install --gui does, prints the link of that one; --port N of another port starts a second one. With --host the panel runs on that machine, and ssh leads a port of this one to it until Ctrl-C: the printed link opens here.",
    examples: ["autopilotd gui --open", "autopilotd gui --port 0 --start --workdir ~/code/shop"]
  }
} as const satisfies Readonly<Record<string, CommandTexts>>
