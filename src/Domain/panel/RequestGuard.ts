/** What the guard looks at in a request. Header names are in lower case. */
export interface GuardedRequest {
  readonly method: string
  /** With its query. */
  readonly url: string
  readonly headers: Readonly<Record<string, string | undefined>>
}

export interface GuardRules {
  readonly port: number
  /** Compares in constant time. */
  readonly isToken: (given: string) => boolean
  /** Whether another page may embed `/panel`. Which one may, says `frame-ancestors`. */
  readonly isEmbeddable: boolean
}

/** Why a request is refused. */
export interface Refusal {
  readonly status: 401 | 403 | 421
  readonly message: string
}

/** The first subprotocol of the WebSocket, which the server answers with; the second one holds the token. */
export const protocol = "autopilotd.v1"
const tokenProtocol = "token."

export const tokenHeader = "x-autopilotd-token"

/** The static pages hold no data and need no token, which the page takes from its own address. */
const isStatic = (path: string): boolean =>
  path === "/" || path === "/panel" || path === "/all" || path.startsWith("/assets/")

const tokenOf = ({ headers }: GuardedRequest, isUpgrade: boolean): string | undefined =>
  isUpgrade
    ? headers["sec-websocket-protocol"]
        ?.split(",")
        .map((name) => name.trim())
        .find((name) => name.startsWith(tokenProtocol))
        ?.slice(tokenProtocol.length)
    : headers[tokenHeader]

/**
 * The one guard of the panel, in front of every route and of the upgrade. Any page in the browser can send requests to
 * a port of this machine, and ports are neither origins of cookies nor sites, so:
 *
 * - a Host other than this server is DNS rebinding;
 * - an Origin or a Sec-Fetch-Site of elsewhere is a request that another page has made;
 * - what has data or changes something needs the token, which only the printed link holds.
 *
 * Returns undefined for a request that may pass.
 */
export const refusalOf = (request: GuardedRequest, rules: GuardRules): Refusal | undefined => {
  const { headers, method, url } = request
  const path = url.split("?", 1)[0] ?? ""
  const hosts = ["127.0.0.1", "localhost", "[::1]"].map((name) => `${name}:${rules.port}`)
  const host = headers["host"] ?? ""
  if (!hosts.includes(host))
    return {
      status: 421,
      message: `This server answers for ${hosts[0]} only, not for the host of this request.`
    }

  const { origin } = headers
  const site = headers["sec-fetch-site"]
  const isUpgrade = headers["upgrade"]?.toLowerCase() === "websocket"
  const isChanging = method !== "GET" && method !== "HEAD"
  const isFromElsewhere = (origin !== undefined && origin !== `http://${host}`) || isOtherSite(site)
  // A link to a static page may stand anywhere; in a frame that page stands only where the user allows it.
  const isShown =
    isStatic(path) &&
    !isChanging &&
    (headers["sec-fetch-dest"] === "document" ||
      (headers["sec-fetch-dest"] === "iframe" && path === "/panel" && rules.isEmbeddable))
  // A browser names the origin of each upgrade and of each request that changes something.
  const isNameless = (isUpgrade || isChanging) && origin === undefined && site !== undefined
  if ((isFromElsewhere && !isShown) || isNameless)
    return { status: 403, message: "Another page has sent this request. Only the panel's own pages may." }

  if (isStatic(path) && !isChanging) return undefined
  const token = tokenOf(request, isUpgrade)
  if (token !== undefined && rules.isToken(token)) return undefined
  return {
    status: 401,
    message: "This link is no longer valid, or has no token. Run `autopilotd gui` again for a new one."
  }
}

const isOtherSite = (site: string | undefined): boolean =>
  site !== undefined && site !== "same-origin" && site !== "none"

/** The headers of every answer. No page of the panel runs inline code, loads from elsewhere or is embedded unasked. */
export const securityHeaders = (
  path: string,
  embedOrigins: ReadonlyArray<string>
): Readonly<Record<string, string>> => {
  const isEmbeddable = path === "/panel" && embedOrigins.length > 0
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    `frame-ancestors ${isEmbeddable ? embedOrigins.join(" ") : "'none'"}`
  ]
  return {
    "content-security-policy": policy.join("; "),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": isEmbeddable ? "cross-origin" : "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    ...(isEmbeddable ? {} : { "x-frame-options": "DENY" })
  }
}
