import { type Html, html } from "../html/Html.ts"
import { type Icon, icon } from "../html/Icons.ts"
import { printable } from "../text/Printable.ts"
import type { DaemonSight } from "./DaemonSight.ts"

/** What a person can do now. Each is a request to `/api/daemon/ACTION`. */
type PanelAction = "start" | "stop" | "start-worker" | "stop-worker" | "restart-worker" | "switch" | "reload"

interface Control {
  readonly action: PanelAction
  readonly label: string
  readonly icon: Icon
  readonly look: "primary" | "danger" | ""
  /** Asked first, with the words on the button that goes on. */
  readonly confirm?: { readonly question: string; readonly consequence: string }
}

const startDaemon: Control = { action: "start", label: "Start daemon", icon: "start", look: "primary" }
const startWorker: Control = { action: "start-worker", label: "Start worker", icon: "start", look: "primary" }
const restartWorker: Control = {
  action: "restart-worker",
  label: "Restart worker",
  icon: "restart",
  look: "primary"
}
const stopWorker: Control = { action: "stop-worker", label: "Stop worker", icon: "stop", look: "" }
const stopDaemon: Control = {
  action: "stop",
  label: "Stop daemon",
  icon: "power",
  look: "danger",
  confirm: {
    question: "Stop the daemon?",
    consequence: "It stops the workers of all projects. Nothing restarts them until you start it again."
  }
}

/** What can be done with a worker in a state, the most likely first. */
const workerControls = (state: string): ReadonlyArray<Control> => {
  switch (state) {
    case "running":
    case "starting":
      return [restartWorker, stopWorker]
    case "restarting":
    case "waiting":
      return [startWorker, stopWorker]
    case "stopping":
      return [restartWorker]
    default:
      return [startWorker]
  }
}

const controlsFor = (sight: DaemonSight): ReadonlyArray<Control> => {
  if (sight._tag === "NotRunning") return [startDaemon]
  if (sight._tag === "Unwell" || sight.status === undefined) return [stopDaemon]
  return [...workerControls(sight.status.worker_status), stopDaemon]
}

interface ButtonPlace {
  readonly project: string
  /** Ends the id, where buttons of several projects stand on a page. */
  readonly suffix?: string
  readonly size?: "sm"
}

/** The buttons keep their ids, so that the focus stays where it is when they change. */
const buttons = (controls: ReadonlyArray<Control>, { project, size, suffix = "" }: ButtonPlace): Html =>
  html`${controls.map(
    ({ action, confirm, icon: sign, label, look }) =>
      html`<button class="btn ${look} ${size}" type="button" id="do-${action}${suffix}" hx-post="/api/daemon/${action}?project=${encodeURIComponent(printable(project, 64))}" hx-swap="none"${
        confirm !== undefined &&
        html` data-question="${confirm.question}" data-consequence="${confirm.consequence}"`
      }>${icon(sign)}${label}</button>`
  )}`

/** The buttons of the page of one project. */
export const controlsView = (sight: DaemonSight): Html =>
  buttons(controlsFor(sight), {
    project: sight._tag === "Running" ? (sight.status?.project ?? "") : ""
  })

/** The buttons of the worker of one of several projects. */
export const workerControlsView = (project: string, state: string): Html =>
  buttons(workerControls(state), { project, suffix: `-${project}`, size: "sm" })

/** The buttons of the daemon itself. */
export const daemonControlsView = (sight: DaemonSight): Html =>
  buttons([sight._tag === "NotRunning" ? startDaemon : stopDaemon], { project: "" })
