import { createHash, randomBytes, timingSafeEqual } from "node:crypto"

const digest = (text: string): Buffer => createHash("sha256").update(text).digest()

/** The secret of one run of the panel, which its link carries. */
export interface PanelToken {
  readonly text: string
  /** Compares in constant time. */
  readonly matches: (given: string) => boolean
}

export const makeToken = (): PanelToken => {
  const text = randomBytes(32).toString("base64url")
  const expected = digest(text)
  return { text, matches: (given) => timingSafeEqual(digest(given), expected) }
}
