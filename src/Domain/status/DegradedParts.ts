const relay = "relay"
const before = `${relay}: `

/** The name under which the relay is degraded, or one of its outlets. */
export const degradedRelay = (outlet?: string): string =>
  outlet === undefined ? relay : `${before}${outlet}`

interface DegradedParts {
  /** Parts of the daemon itself, which restarts them. */
  readonly concerns: ReadonlyArray<string>
  /** The process of the relay, which the daemon restarts. */
  readonly isRelay: boolean
  /** What of the relay fails. */
  readonly outlets: ReadonlyArray<string>
}

/** Tells apart what is degraded: no failure of the relay concerns the daemon or a worker. */
export const degradedParts = (names: ReadonlyArray<string>): DegradedParts => ({
  concerns: names.filter((name) => name !== relay && !name.startsWith(before)),
  isRelay: names.includes(relay),
  outlets: names.filter((name) => name.startsWith(before)).map((name) => name.slice(before.length))
})

/** What of the relay fails, as a clause; undefined when nothing does. */
export const relayProblem = ({ isRelay, outlets }: DegradedParts): string | undefined =>
  isRelay
    ? "it has failed, and the daemon starts it again"
    : outlets.length === 0
      ? undefined
      : `its ${outlets.join(", ")} ${outlets.length === 1 ? "fails" : "fail"}, and it keeps trying`
