/** The severity of a message: it selects the journal's priority and the colour. */
export type Level = "info" | "warning" | "error"

/** One sentence of the daemon, with its severity. */
export interface Message {
  readonly level: Level
  readonly text: string
}
