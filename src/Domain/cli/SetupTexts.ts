import type { CommandTexts } from "./CommandTexts.ts"

/** The texts of the commands for the settings and the service. */
export const setupTexts = {
  init: {
    summary: "Write the settings of a project for this folder",
    details:
      "Looks for an agent on PATH, its login, a git repository and a TODO.md, and writes a commented daemon.toml for the current folder, or that of --workdir. Where there is one already, adds a project to it, or a worker where it has none, and changes nothing else. Asks nothing. Prints the next command.",
    examples: [
      "autopilotd init && autopilotd start --detach",
      "autopilotd init --workdir ~/code/shop --project shop"
    ]
  },
  install: {
    summary: "Install and start the systemd user service",
    details:
      "Writes a launcher to bin/autopilotd in AUTOPILOT_HOME and a systemd unit, enables and starts the service, and reports each step. The service gets the PATH of the current shell. Run it again after a change of Node, of the package or of PATH: it changes only what differs. --gui also makes the web panel a service, with a unit of its own, and prints its link; autopilotd gui prints it again. --print shows the files and commands without writing or running them.",
    examples: ["autopilotd install", "autopilotd install --gui", "autopilotd install --print"]
  },
  uninstall: {
    summary: "Stop and remove the systemd user service",
    details:
      "Stops the workers with their grace period. Keeps settings, logs and history. --gui removes only the service of the web panel.",
    examples: ["autopilotd uninstall", "autopilotd uninstall --gui"]
  },
  reload: {
    summary: "Read the settings file again and apply its changes",
    details:
      "Applies at once what can change at once. A running worker keeps the settings it was started with until its next start; --restart restarts the workers that need it, or only that of the named project. Invalid settings change nothing.",
    examples: ["autopilotd reload", "autopilotd reload shop --restart"]
  },
  "notify test": {
    summary: "Send a test notification, and say what came of it",
    details:
      "Sends to one channel of [notify.to.NAME], or to all of them, from this shell: a desktop of another session is not reached by it. Exits with code 1 when one was not sent, with the reason.",
    examples: ["autopilotd notify test", "autopilotd notify test phone --json"]
  },
  "notify list": {
    summary: "List the channels of notifications",
    details:
      "Shows when each channel was last reached, how many notifications wait to be sent, and why it does not work. Needs no daemon.",
    examples: ["autopilotd notify list", "autopilotd notify list --json"]
  },
  "config check": {
    summary: "Check the settings and show the source of each value",
    details:
      "Shows the settings of the running daemon, with its command line, environment and folder. Without a daemon, or with options of start, it shows those that start would use. Starts nothing. Masks secrets. Exits with code 1 when a project could not start.",
    examples: ["autopilotd config check", "autopilotd config check --config ./daemon.toml --json"]
  },
  "config show": {
    summary: "Print the settings file",
    details:
      "Prints the file of the running daemon, or the file of --config, with its secrets masked: the values of env, and the URLs of notify.to. All else is unchanged.",
    examples: ["autopilotd config show"]
  },
  "config get": {
    summary: "Print the value of a setting and where it comes from",
    details:
      "Prints the value that start would use now, and on a terminal its source: the file, the environment, or the default. A pipe gets the value alone, which is empty for a setting without one. With a table, such as restart, prints all of its settings. --project asks for that project.",
    examples: ["autopilotd config get restart.jitter", "autopilotd config get model --project shop --json"]
  },
  "config set": {
    summary: "Change one setting in the settings file",
    details:
      "Keeps the rest of the file unchanged, including comments. Checks the whole file before writing it, and reports what the change takes to apply. --project changes the setting of that project. Quote a list, or a text of several words, for the shell.",
    examples: [
      "autopilotd config set restart.jitter 0.25",
      "autopilotd config set model opus --project shop",
      `autopilotd config set worker_command '{ type = "Claude", prompt = "Go on" }'`
    ]
  },
  "config unset": {
    summary: "Remove one setting from the settings file",
    details: "The default applies from then on, or for a project the value of the top level.",
    examples: ["autopilotd config unset restart.jitter --dry-run"]
  },
  "config edit": {
    summary: "Edit the settings file and check it",
    details:
      "Opens a copy in $VISUAL, $EDITOR or vi, and writes it back once it is valid. Invalid settings open again with the errors as comments, and no typed text is ever lost. A new file begins with what init would write: the path of the JSON Schema, by which editors complete and check settings, and a project for the current folder.",
    examples: ["autopilotd config edit", "EDITOR='code --wait' autopilotd config edit"]
  },
  "config schema": {
    summary: "Print the JSON Schema of the settings file",
    details:
      "Editors that know TOML complete and check daemon.toml with it. Needs neither a daemon nor a settings file.",
    examples: ["autopilotd config schema"]
  }
} as const satisfies Readonly<Record<string, CommandTexts>>
