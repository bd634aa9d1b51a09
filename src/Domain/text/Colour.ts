/** ANSI colours of the states, by their words on the wire. */
const colours: ReadonlyMap<string, number> = new Map([
  ["running", 32],
  ["starting", 36],
  ["stopping", 33],
  ["restarting", 33],
  ["waiting", 33],
  ["failed", 31]
])

/** The text in the colour of a worker's state. One that has no colour, or is not known, leaves it as it is. */
export const inStateColour = (state: string, text: string): string => {
  const code = colours.get(state)
  return code === undefined ? text : `\u001b[${code}m${text}\u001b[0m`
}
