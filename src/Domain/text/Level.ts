/** How serious a message is. The journal and the colours of the log go by it. */
export type Level = "info" | "warning" | "error"

/** A message of the daemon: how serious it is, and one sentence. */
export interface Message {
  readonly level: Level
  readonly text: string
}
