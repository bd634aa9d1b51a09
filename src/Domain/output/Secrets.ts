/** From `start` up to, not including, `end`. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** Texts that must not be seen. */
export interface Secrets {
  /** How many bytes the longest has; 0 when there is none. */
  readonly longestBytes: number
  /** Where they are in a text, also where they overlap, by their beginnings. */
  readonly find: (text: Buffer) => ReadonlyArray<Span>
}

export const noSecrets: Secrets = { longestBytes: 0, find: () => [] }

/** What is shorter is no secret but a word like `true`, and would be masked everywhere. */
const leastCharacters = 8

/** Every secret has at least so many bytes: they are what is looked for. */
const windowBytes = leastCharacters

/** A worker that writes JSON writes a text in this form. */
const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)

/** A value of several lines is several secrets, for what is masked is a line. */
const secretTexts = (values: ReadonlyArray<string>): ReadonlyArray<string> => {
  const parts = values.flatMap((value) => [...value.split(/\r?\n/), value])
  return [...new Set(parts.flatMap((part) => [part, inJson(part)]))].filter(
    (text) => text.length >= leastCharacters && !text.includes("\n")
  )
}

const pairAt = (bytes: Buffer, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)

/**
 * The values as secrets; those of less than 8 characters are none. They are found in one pass, however many there are
 * (Wu and Manber, 1994): the last two bytes of a window say how far it can be moved on at least.
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
    longestBytes: Math.max(...secrets.map((secret) => secret.length)),
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

/** The text with these spans covered by asterisks, one a byte; itself when there are none. */
export const masked = (text: Buffer, spans: ReadonlyArray<Span>): Buffer => {
  if (spans.length === 0) return text
  const copy = Buffer.from(text)
  for (const { end, start } of spans) copy.fill("*", start, end)
  return copy
}
