import { notFoundText } from "./RemoteScript.ts"

/**
 * Lines of ssh that tell of no failure: a second connection that is begun at the same moment, and one more session than
 * sshd takes over one connection. In both cases ssh goes on with a connection of its own. What the exit code says better is
 * no line either.
 */
const noise =
  /^(ControlSocket .* already exists, disabling multiplexing|mux_client_request_session: .*|Shared connection to .* closed\.)\r?$/

/** The beginnings of such lines, which wait for the rest of theirs. */
const beginnings: ReadonlyArray<string> = [
  "ControlSocket ",
  "mux_client_",
  "Shared connection to ",
  notFoundText
]

const mayBecomeNoise = (text: string): boolean =>
  beginnings.some((beginning) =>
    text.length < beginning.length ? beginning.startsWith(text) : text.startsWith(beginning)
  )

const isNoise = (line: string): boolean => noise.test(line) || line === notFoundText

/** Takes the lines without meaning out of standard error. `rest` begins a line whose end is awaited. */
export const withoutNoise = (
  rest: string,
  chunk: string
): { readonly shown: string; readonly rest: string } => {
  const lines = `${rest}${chunk}`.split(/(?<=\n)/)
  const last = lines.at(-1) ?? ""
  const isOpen = !last.endsWith("\n") && last !== "" && mayBecomeNoise(last)
  const whole = isOpen ? lines.slice(0, -1) : lines
  return { shown: whole.filter((line) => !isNoise(line.trimEnd())).join(""), rest: isOpen ? last : "" }
}
