import * as Either from "effect/Either"
import type { ProjectRow } from "../status/ProjectsData.ts"

/** The projects whose workers have failed for good. */
export const failedProjects = (rows: ReadonlyArray<ProjectRow>): ReadonlyArray<string> =>
  rows.filter(({ worker_status: state }) => state === "failed").map(({ name }) => name)

const isHttp = ({ protocol }: URL): boolean => protocol === "http:" || protocol === "https:"

/** The first line of a file of a URL. A Left continues a sentence that begins with the path, and has nothing of the text. */
export const urlIn = (text: string): Either.Either<URL, string> => {
  const line = text.trimStart().split("\n", 1)[0]?.trim() ?? ""
  if (line === "") return Either.left("is empty, but its first line must be a URL")
  const url = URL.canParse(line) ? new URL(line) : undefined
  return url !== undefined && isHttp(url)
    ? Either.right(url)
    : Either.left("has no URL in its first line: it must begin with http:// or https://")
}

/** Uptime Kuma's push monitors. */
const isPush = ({ pathname }: URL): boolean => /\/api\/push\/[^/]+\/?$/.test(pathname)

/**
 * The URL of one heartbeat. A failure is told by `status=down` to Uptime Kuma, and by `/fail` behind the path to all others,
 * as healthchecks.io and Better Stack want it.
 */
export const heartbeatUrl = (given: URL, failed: ReadonlyArray<string>): URL => {
  const url = new URL(given)
  const isDown = failed.length > 0
  if (isPush(url)) {
    url.searchParams.set("status", isDown ? "down" : "up")
    url.searchParams.set("msg", isDown ? `failed: ${failed.join(", ")}` : "OK")
  } else if (isDown) {
    url.pathname = `${url.pathname.replace(/\/$/, "")}/fail`
  }
  return url
}
