const key = "autopilotd.token"

/**
 * The token of the panel's link. It comes once, in the fragment of the address, which no server and no other page sees,
 * and is kept in the storage of this tab, which other ports of this machine cannot read, as they could a cookie.
 */
const take = (): string => {
  const given = /^#token=([\w-]+)$/.exec(location.hash)?.[1]
  if (given !== undefined) {
    sessionStorage.setItem(key, given)
    history.replaceState(null, "", `${location.pathname}${location.search}`)
  }
  return sessionStorage.getItem(key) ?? ""
}

export const token = take()

/** The header that carries it. */
export const tokenHeader = "X-Autopilotd-Token"
