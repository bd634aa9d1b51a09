/** Marks a relay that the daemon has started: its settings come on its standard input. */
export const relayVariable = "AUTOPILOTD_RELAY"
