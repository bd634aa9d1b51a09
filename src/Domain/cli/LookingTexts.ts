import type { CommandTexts } from "./CommandTexts.ts"

/** The texts of the commands that show something and change nothing. */
export const lookingTexts = {
  status: {
    summary: "Show what the worker does, why, and what is next",
    details: "Exits with code 3 when no daemon is running, and with 4 when the worker has failed.",
    examples: ["autopilotd status", "autopilotd status shop blog --json"]
  },
  projects: {
    summary: "List the projects and the state of their workers",
    details:
      "Marks the selected project: commands that name no project act on it. With names, lists only those. A narrow terminal shows fewer columns and cuts texts; --long shows all. Exits with code 3 when no daemon is running.",
    examples: ["autopilotd projects", "autopilotd projects --json"]
  },
  logs: {
    summary: "Show the output of all workers, or of some",
    details:
      "Reads worker.log and its rotated files, whether or not a daemon is running: the last 50 lines, or the range of --lines, --since and --until. Without a name it merges all projects by time, each line after the name of its project, and -f also follows projects that come later; --daemon adds the daemon's own log. A terminal shows the stream of an agent in words; --text does so in a pipe, which else receives it unchanged, as --raw shows it everywhere. --grep searches the words, with --raw the unchanged lines; it ignores case unless PATTERN has a capital letter, takes JavaScript's regular expressions, and gives up on one that takes seconds on a line, such as (a+)+$. --json prints one object per line.",
    examples: [
      "autopilotd logs -f",
      "autopilotd logs shop --since 2h --grep error",
      "autopilotd logs -n 1000 --stderr --json"
    ]
  },
  hogs: {
    summary: "List what the daemon would kill if memory ran low",
    details:
      "Lists the processes the daemon would kill if memory ran low, in order, and explains why it would spare the others. Considers large processes and leftovers of workers. Kills nothing. Exits with code 3 when no daemon is running.",
    examples: ["autopilotd hogs", "autopilotd hogs --json"]
  },
  metrics: {
    summary: "Print the metrics of the daemon and its workers",
    details:
      "Prints all metrics once, in the text format of Prometheus: docs/metrics.md lists them. Without a daemon it prints autopilotd_up 0 and exits with code 3. --output is for the textfile collector of node_exporter, which reads FILE if its name ends in .prom: there autopilotd_up 0 stands in FILE and the exit code is 0, because a timer has done its work; 1 means that FILE is as it was.",
    examples: [
      "autopilotd metrics",
      "autopilotd metrics --output /var/lib/prometheus/node-exporter/autopilotd.prom"
    ]
  },
  history: {
    summary: "Show past starts, exits, waits and restarts",
    details:
      "Shows what happened with its time and cause, a crash with its restart in one row, whether or not a daemon is running: the last 20 events, or the range of --lines, --since and --until. With a name, shows the events of that project and those of the daemon itself. --long and --json show each event, and --long cuts no text to the width of the terminal.",
    examples: ["autopilotd history", "autopilotd history shop --since yesterday --json"]
  },
  events: {
    summary: "Show events in sentences, and follow them with -f",
    details:
      "Shows each event as one sentence with its time and project: the last 20, or the range of --lines, --since and --until. -f first shows the state of each project, then what happens, until Ctrl-C or the end of the daemon, which is exit code 3. --json prints one object per line, as the request Subscribe of the control socket does.",
    examples: ["autopilotd events", "autopilotd events shop -f", "autopilotd events -f --json"]
  },
  top: {
    summary: "Show all projects live, and act on them by keys",
    details:
      "Shows state, time in it, memory, CPU, turns, cost and last line of each project on the whole terminal, once a second. Keys: up and down (or j and k) select a project, l shows its log, r restarts, s stops and g starts its worker, q or Ctrl-C ends. Restart and stop ask first. Without a terminal it is refused: use projects, or events -f. Exits with code 3 when no daemon is running.",
    examples: ["autopilotd top"]
  },
  wait: {
    summary: "Wait until the work of a project is done",
    details:
      "Returns when the worker is finished, failed or stopped: at once if it is so already. Restarts and waits are part of the work. Exit codes: 0 the work is finished, 4 the worker has failed, 5 it was stopped before its work was finished, 3 no daemon is running or it has stopped meanwhile, 124 --timeout has passed. --json also has the verdict and the exit code of the last run.",
    examples: [
      "autopilotd wait shop && autopilotd logs shop -n 5",
      "autopilotd wait shop --timeout 8h --json"
    ]
  },
  why: {
    summary: "Explain the worker's state and what you can do",
    details:
      "Answers in plain sentences, with the events behind them. --all explains all projects without their events, those that need you first. When no daemon is running, explains how and when the last one ended.",
    examples: ["autopilotd why", "autopilotd why shop", "autopilotd why --all"]
  },
  "fleet status": {
    summary: "Show the workers of several machines in one table",
    details:
      "Asks the daemon of each host in ~/.autopilot/hosts.toml over ssh, at most eight at once and each for ten seconds, and that of this machine, as local, where daemon.toml stands or a daemon runs. Asks nobody for a passphrase: keys must be in an agent. FREE is the memory that is available on the machine. A host that does not answer is a row with the reason. Exits with code 1 when a host does not answer, and else with 4 when a worker has failed.",
    examples: ["autopilotd fleet status", "autopilotd fleet status --hosts box,local --json"]
  },
  "fleet watch": {
    summary: "Follow the events of several machines",
    details:
      "Prints first the state of each project, then each event as a line behind the name of its host, until Ctrl-C, from the hosts of fleet status. A host that is lost is told once, and tried again after 1 to 60 seconds; the events that were missed meanwhile are printed as well. --json prints one object per line.",
    examples: ["autopilotd fleet watch", "autopilotd fleet watch --json"]
  },
  "fleet doctor": {
    summary: "Check several machines for common problems",
    details:
      "Runs autopilotd doctor on the hosts of fleet status and shows what is wrong there. Changes nothing. Exits with code 1 when a host does not answer or has an error.",
    examples: ["autopilotd fleet doctor"]
  },
  doctor: {
    summary: "Check machine and settings for common problems",
    details:
      "Checks Node, the settings, the worker's program, the daemon's folder, the disk, the memory and the service. Each finding says what to do about it. Changes nothing. Exits with code 1 when it finds an error.",
    examples: ["autopilotd doctor", "autopilotd doctor --json"]
  }
} as const satisfies Readonly<Record<string, CommandTexts>>
