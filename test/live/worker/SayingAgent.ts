/** An agent that says these lines, works for a moment and ends with this code. */
export const agent = (code: number, ...lines: ReadonlyArray<object>): ReadonlyArray<string> => {
  const said = lines.map((line) => JSON.stringify({ session_id: "s", ...line }).replaceAll("'", "'\\''"))
  return ["sh", "-c", `${said.map((line) => `echo '${line}'`).join("; ")}; sleep 0.2; exit ${code}`]
}

/** The first line of its stream. */
export const init = { type: "system", subtype: "init", model: "sonnet", cwd: "/", tools: [] }

/** The last line of its stream, a failure. */
export const result = (more: object) => ({
  type: "result",
  subtype: "success",
  is_error: true,
  num_turns: 3,
  total_cost_usd: 0.5,
  ...more
})
