/** From `start` up to, not including, `end`. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** Texts to mask. */
export interface Secrets {
  /** The length of the longest secret; 0 without secrets. */
  readonly longestBytes: number
  /** Returns the spans of all secrets in a text, overlapping ones included, in ascending order. */
  readonly find: (text: Buffer) => ReadonlyArray<Span>
}

export const noSecrets: Secrets = { longestBytes: 0, find: () => [] }

/** A shorter value is a word like `true`, which would be masked everywhere. */
const leastCharacters = 8

/** Every secret has at least this many bytes, which the search compares first. */
const windowBytes = leastCharacters

/** The form of a text in JSON output. */
const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)

/** Masking works by line, so each line of a value is a secret. */
const secretTexts = (values: ReadonlyArray<string>): ReadonlyArray<string> => {
  const parts = values.flatMap((value) => [...value.split(/\r?\n/), value])
  return [...new Set(parts.flatMap((part) => [part, inJson(part)]))].filter(
    (text) => text.length >= leastCharacters && !text.includes("\n")
  )
}

const pairAt = (bytes: Buffer, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)

/**
 * Builds secrets from values of at least 8 characters. The search makes one pass for any number of secrets (Wu and
 * Manber, 1994): the last two bytes of a window tell how far it can move on.
 */
export const secretsOf = (values: ReadonlyArray<string>): Secrets => {
  const secrets = secretTexts(values).map((text) => Buffer.from(text))
  if (secrets.length === 0) return noSecrets
  const lastPair = windowBytes - 2
  const shifts = new Uint8Array(65536).fill(windowBytes - 1)
  const endingIn = new Map<number, ReadonlyArray<Buffer>>()
  for (const secret of secrets) {
    for (let at = 0; at <= lastPair; at++) {
      const pair = pairAt(secret, at)
      shifts[pair] = Math.min(shifts[pair] ?? 0, lastPair - at)
    }
    const pair = pairAt(secret, lastPair)
    endingIn.set(pair, [...(endingIn.get(pair) ?? []), secret])
  }
  return {
    longestBytes: secrets.reduce((longest, { length }) => Math.max(longest, length), 0),
    find: (text) => {
      const spans: Array<Span> = []
      for (let start = 0; start + windowBytes <= text.length; ) {
        const pair = pairAt(text, start + lastPair)
        const shift = shifts[pair] ?? 0
        if (shift === 0) {
          for (const secret of endingIn.get(pair) ?? []) {
            const end = start + secret.length
            if (end <= text.length && secret.compare(text, start, end) === 0) spans.push({ start, end })
          }
        }
        start += Math.max(shift, 1)
      }
      return spans
    }
  }
}

/** Replaces the bytes of the spans by asterisks. Returns the same buffer without spans. */
export const masked = (text: Buffer, spans: ReadonlyArray<Span>): Buffer => {
  if (spans.length === 0) return text
  const copy = Buffer.from(text)
  for (const { end, start } of spans) copy.fill("*", start, end)
  return copy
}
