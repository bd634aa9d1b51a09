import type { ErrorMeaning } from "../adapter/AgentAdapter.ts"

/**
 * Matched at the beginning of a message or line, because an agent also writes about such errors in the middle of its
 * text. The first match wins. The sentences are those of Claude Code and of the usual command-line libraries.
 */
const beginnings: ReadonlyArray<readonly [RegExp, ErrorMeaning]> = [
  [/^you['’]ve (?:hit|reached) your (?:org['’]s )?monthly spend limit\b/i, "budget"],
  [/^credit balance is too low\b/i, "budget"],
  [/^your org is out of usage\b/i, "budget"],
  [/^(?:usage credits (?:are )?required|extra usage is required)\b/i, "budget"],
  [/^exceeded usd budget\b|^reached maximum budget\b/i, "budget"],
  [/^you exceeded your current quota\b.{0,120}\bai\.google\.dev\b/is, "usage-limit"],
  [/^(?:you exceeded your current quota|quota exceeded\. check your plan and billing)\b/i, "budget"],
  [/^(?:your workspace is out of credits|you hit your spend cap)\b/i, "budget"],
  [/^(?:to use codex with your chatgpt plan\b|shared rollout token budget exhausted)/i, "budget"],
  [/^qwen oauth free tier has been discontinued\b/i, "budget"],
  [/^reached max(?:imum number of)? (?:session )?turns\b/i, "max-turns"],
  [/^you['’]ve (?:hit|reached) your (?:[\w'’.-]+ ){0,5}limit\b/i, "usage-limit"],
  [/^you have reached your specified api usage limits\b/i, "usage-limit"],
  [/^you have exhausted your (?:[\w-]+ )?(?:quota|capacity)\b/i, "usage-limit"],
  [/^qwen oauth quota exceeded\b/i, "usage-limit"],
  [/^prompt is too long\b/i, "context-full"],
  [/^codex ran out of room in the model's context window\b/i, "context-full"],
  [/^you['’]re out of (?:extra usage|usage credits)\b/i, "usage-limit"],
  [/^claude (?:ai )?usage limit reached\b/i, "usage-limit"],
  [/^(?:5-hour|session|weekly|opus|sonnet|usage) limit reached\b/i, "usage-limit"],
  [/^(?:server is temporarily limiting requests|request rejected \(429\))/i, "overloaded"],
  [/^(?:repeated 529 overloaded errors|overloaded\b)/i, "overloaded"],
  [/^(?:opus|fable|sonnet) is experiencing high load\b/i, "overloaded"],
  [/^(?:request timed out|connection error\b|unable to connect to api\b)/i, "overloaded"],
  [/^(?:selected model is at capacity|we're currently experiencing high demand)\b/i, "overloaded"],
  [/^(?:stream disconnected before completion|connection failed|rate limit exceeded):/i, "overloaded"],
  [/^error while reading the server response:/i, "overloaded"],
  [/^oauth (?:session|token) (?:has )?(?:been )?(?:expired|revoked)\b/i, "auth"],
  [/^(?:not logged in|please run \/login|invalid api key|failed to authenticate)\b/i, "auth"],
  [/^(?:your session has|session|auth token) expired\b/i, "auth"],
  [/^(?:api key not valid|invalid auth method selected|incorrect api key)\b/i, "auth"],
  [/^when using gemini api, you must specify\b/i, "auth"],
  [/^missing environment variable: `/i, "auth"],
  [/^your (?:access|refresh) token\b.{0,60}\bcould not be refreshed\b/i, "auth"],
  [/^your anthropic_api_key belongs to a disabled organization\b/i, "auth"],
  [/^your organization has disabled\b/i, "auth"],
  [/^there['’]s an issue with the selected model\b/i, "bad-arguments"],
  [/^no conversation found with session id\b/i, "bad-arguments"],
  [/^session id [\w-]+ is already in use\b/i, "bad-arguments"],
  [/^no saved session found with id\b/i, "bad-arguments"],
  [/^(?:error )?(?:resuming|starting) session: /i, "bad-arguments"],
  [/^thread\/resume: .{0,60}\bno rollout found\b/i, "bad-arguments"],
  [/^session not found$/i, "bad-arguments"],
  [/^you must provide a message or a command\b/i, "bad-arguments"],
  [/^input must be provided either through stdin or as a prompt argument\b/i, "bad-arguments"],
  [/^--dangerously-skip-permissions cannot be used with root\b/i, "bad-arguments"],
  [/^--resume requires a valid session id\b/i, "bad-arguments"],
  [/^unknown (?:option|command|argument)\b/i, "bad-arguments"],
  [/^option ['"‘].*(?:argument missing|is invalid)/i, "bad-arguments"],
  [
    /^(?:unexpected argument|unrecognized (?:argument|option)|missing required argument|too many arguments)/i,
    "bad-arguments"
  ],
  [/^the following (?:required )?arguments (?:are required|were not provided)/i, "bad-arguments"]
]

/** The prefixes of a message: `Error: `, `API Error: 400 `. */
const prefixes = /^(?:(?:error|fatal|api error)\s*:\s*)*(?:[1-5]\d\d\s+)?/i

/** `API Error: 529 {"type":"error", ...}`, `unexpected status 503 ...`, `exceeded retry limit, last status: 429 ...`. */
const apiStatus =
  /^(?:error\s*:\s*)?(?:api error\s*:?\s*\(?|unexpected status |exceeded retry limit, last status: )([1-5]\d\d)\b/i

/** The meaning of an HTTP status; undefined for 429, which usage limits and too many requests share. */
export const meaningOfStatus = (status: number): ErrorMeaning | undefined => {
  if (status === 401 || status === 403) return "auth"
  if (status === 402) return "budget"
  return status === 408 || status >= 500 ? "overloaded" : undefined
}

/** The HTTP status at the beginning of a message. */
export const statusIn = (message: string): number | undefined => {
  const match = apiStatus.exec(message)
  return match === null ? undefined : Number(match[1])
}

/** The meaning of a message by its first words; undefined for unknown ones. */
export const meaningOf = (message: string): ErrorMeaning | undefined => {
  const said = message.trim().slice(0, 400).replace(prefixes, "")
  return beginnings.find(([beginning]) => beginning.test(said))?.[1]
}

/** The agent's names for errors. Other names say too little. */
const meaningsOfNames: ReadonlyMap<string, ErrorMeaning> = new Map([
  ["authentication_failed", "auth"],
  ["oauth_org_not_allowed", "auth"],
  ["billing_error", "budget"],
  ["overloaded", "overloaded"],
  ["server_error", "overloaded"],
  ["model_not_found", "bad-arguments"],
  ["UNAUTHENTICATED", "auth"],
  ["PERMISSION_DENIED", "auth"],
  ["UNAVAILABLE", "overloaded"],
  ["FatalTurnLimitedError", "max-turns"],
  ["ProviderAuthError", "auth"],
  ["ProviderModelNotFoundError", "bad-arguments"],
  ["ContextOverflowError", "context-full"]
])

/** The meaning of the agent's name for an error; undefined for `rate_limit`, as for HTTP status 429. */
export const meaningOfName = (name: string): ErrorMeaning | undefined => meaningsOfNames.get(name)
