import type { MessagesApi } from "./MessagesApi.ts"

const variablesWith = (pattern: RegExp): Record<string, undefined> =>
  Object.fromEntries(
    Object.keys(process.env)
      .filter((name) => pattern.test(name))
      .map((name) => [name, undefined])
  )

/** An environment in which the agent reaches only the stand-in, and finds nothing of the user who runs the tests. */
export const claudeEnvironment = (api: Pick<MessagesApi, "url">, programs: string, home: string) => ({
  ...variablesWith(/^(ANTHROPIC_|CLAUDE|[a-z]+_proxy$)/i),
  HOME: home,
  TMPDIR: home,
  PATH: `${programs}:${process.env["PATH"]}`,
  ANTHROPIC_BASE_URL: api.url,
  ANTHROPIC_API_KEY: "sk-test",
  HTTP_PROXY: api.url,
  HTTPS_PROXY: api.url,
  NO_PROXY: "127.0.0.1",
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  DISABLE_AUTOUPDATER: "1",
  // Root may not use `--dangerously-skip-permissions` without it.
  IS_SANDBOX: "1"
})
