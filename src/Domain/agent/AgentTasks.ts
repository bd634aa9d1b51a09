import * as Schema from "effect/Schema"
import { type AgentLine, isObject, type JsonObject, numberAt, shortened, textAt } from "./AgentLine.ts"

/** Work that goes on beside the agent's own: a command in the background, or a subagent. */
const AgentTask = Schema.Struct({
  id: Schema.String,
  description: Schema.String,
  isSubagent: Schema.Boolean,
  sinceMs: Schema.Number
})
type AgentTask = typeof AgentTask.Type

export const AgentTasks = Schema.Struct({
  running: Schema.Array(AgentTask),
  /** The agent ends its turn, and goes on by itself at this time. */
  wakeUp: Schema.optional(Schema.Struct({ atMs: Schema.Number, reason: Schema.String }))
})
export type AgentTasks = typeof AgentTasks.Type

export const noTasks: AgentTasks = { running: [] }

const maxTasks = 32
const maxIdLength = 200
const maxTextLength = 100

type Mask = (text: string) => string

const shown = (object: JsonObject, key: string, mask: Mask): string =>
  shortened(mask(textAt(object, key) ?? ""), maxTextLength)

const taskOf = (object: JsonObject, atMs: number, mask: Mask): AgentTask | undefined => {
  const id = textAt(object, "task_id")?.slice(0, maxIdLength)
  if (id === undefined) return undefined
  const isSubagent = object["task_type"] === "local_agent"
  return { id, description: shown(object, "description", mask), isSubagent, sinceMs: atMs }
}

/** A task that was known before keeps its start, and its description if it has one. */
const withTask = (running: ReadonlyArray<AgentTask>, task: AgentTask): ReadonlyArray<AgentTask> => {
  const known = running.find(({ id }) => id === task.id)
  if (known === undefined) return [...running, task].slice(-maxTasks)
  const described = { ...known, description: known.description || task.description }
  return running.map((one) => (one === known ? described : one))
}

const without = (tasks: AgentTasks, object: JsonObject): AgentTasks => {
  const id = textAt(object, "task_id")?.slice(0, maxIdLength)
  const running = tasks.running.filter((task) => task.id !== id)
  return running.length === tasks.running.length ? tasks : { ...tasks, running }
}

/** Which of the tasks are left, as the agent lists them. */
const listed = (tasks: AgentTasks, list: unknown, atMs: number, mask: Mask): AgentTasks => {
  if (!Array.isArray(list)) return tasks
  const left = list
    .slice(0, maxTasks)
    .filter(isObject)
    .flatMap((object) => taskOf(object, atMs, mask) ?? [])
  return { ...tasks, running: left.map((task) => tasks.running.find(({ id }) => id === task.id) ?? task) }
}

/**
 * Takes a line of type `system` about tasks; others change nothing. `inputOf` has the arguments of a tool call: a command
 * without a description is known by itself.
 */
export const withTaskLine = (
  tasks: AgentTasks,
  { object }: AgentLine,
  { atMs, mask }: { readonly atMs: number; readonly mask: Mask },
  inputOf: (call: string) => string | undefined
): AgentTasks => {
  switch (object["subtype"]) {
    case "task_started": {
      // A tool in the foreground is told as a task, too, once it takes 3 seconds.
      const task = object["is_backgrounded"] === false ? undefined : taskOf(object, atMs, mask)
      if (task === undefined) return tasks
      const description = task.description || inputOf(textAt(object, "tool_use_id") ?? "") || ""
      return { ...tasks, running: withTask(tasks.running, { ...task, description }) }
    }
    case "task_updated": {
      const { patch } = object
      return isObject(patch) && (patch["end_time"] !== undefined || patch["status"] === "completed")
        ? without(tasks, object)
        : tasks
    }
    case "task_notification":
      return without(tasks, object)
    case "background_tasks_changed":
      return listed(tasks, object["tasks"], atMs, mask)
    case "init":
      return tasks.wakeUp === undefined ? tasks : { ...tasks, wakeUp: undefined }
    default:
      return tasks
  }
}

/** Longer delays are a fault. */
const maxDelaySeconds = 31 * 24 * 3600

/** Takes the call of a tool: `ScheduleWakeup` names the delay, which the agent rounds up to the minute. */
export const withWakeUpCall = (
  tasks: AgentTasks,
  name: string | undefined,
  input: unknown,
  { atMs, mask }: { readonly atMs: number; readonly mask: Mask }
): AgentTasks => {
  if (name !== "ScheduleWakeup" || !isObject(input)) return tasks
  const seconds = numberAt(input, "delaySeconds")
  if (seconds === undefined || seconds <= 0 || seconds > maxDelaySeconds) return tasks
  return { ...tasks, wakeUp: { atMs: atMs + seconds * 1000, reason: shown(input, "reason", mask) } }
}
