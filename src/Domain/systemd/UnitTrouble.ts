import { counted } from "../text/Amounts.ts"
import { printable } from "../text/Printable.ts"

/** A unit whose process does not stay: systemd tries again, or has given up. */
export interface UnitTrouble {
  /** As commands of systemd name it: `autopilotd`. */
  readonly unit: string
  /** The state as `systemctl status` shows it: `activating (auto-restart)`. */
  readonly state: string
  readonly isRetried: boolean
  /** Why, in systemd's words: `exit-code`, `start-limit-hit`, `timeout`. */
  readonly result: string
  /** `exit code 1`, `signal 9`; undefined where no process has ended. */
  readonly exit: string | undefined
  readonly restarts: number
}

/** The properties of `systemctl show` behind it. */
export const troubleProperties = [
  "ActiveState",
  "SubState",
  "Result",
  "NRestarts",
  "ExecMainCode",
  "ExecMainStatus"
] as const

/** The codes of waitid(2) in ExecMainCode. */
const exitWords: Readonly<Record<string, string>> = { 1: "exit code", 2: "signal", 3: "signal" }

/** The trouble of a unit; undefined for one that runs, is stopped, or starts for the first time. */
export const troubleIn = (unit: string, shown: ReadonlyMap<string, string>): UnitTrouble | undefined => {
  const of = (name: (typeof troubleProperties)[number]) => shown.get(name) ?? ""
  const active = of("ActiveState")
  const restarts = Number(of("NRestarts")) || 0
  const isRetried = of("SubState").startsWith("auto-restart") || (active === "activating" && restarts > 0)
  if (active !== "failed" && !isRetried) return undefined
  const sub = of("SubState")
  const word = exitWords[of("ExecMainCode")]
  return {
    unit,
    state: sub === "" || sub === active ? active : `${active} (${sub})`,
    isRetried,
    result: of("Result"),
    exit: word === undefined ? undefined : `${word} ${of("ExecMainStatus")}`,
    restarts
  }
}

const maxTextLength = 300

/** One sentence about the state of the unit. */
export const troubleSentence = ({ exit, isRetried, restarts, result, state, unit }: UnitTrouble): string => {
  const facts = [
    `result ${result}`,
    ...(exit === undefined ? [] : [exit]),
    ...(restarts === 0 ? [] : [counted(restarts, "restart")])
  ]
  const next = isRetried ? "systemd tries again by itself" : "systemd does not start it again"
  return printable(
    `The service ${unit} does not stay up: ${state}, ${facts.join(", ")}; ${next}.`,
    maxTextLength
  )
}

/** The trouble of the service and the last lines of its process. */
export interface ServiceTrouble {
  readonly trouble: UnitTrouble
  readonly lastLines: ReadonlyArray<string>
}

/** What happened: a sentence, and the last lines below it. */
export const troubleText = ({ lastLines, trouble }: ServiceTrouble): ReadonlyArray<string> => [
  troubleSentence(trouble),
  ...(lastLines.length === 0
    ? []
    : ["Its last lines:", ...lastLines.map((line) => `  ${printable(line, maxTextLength)}`)])
]

/** What a user can do about it. */
export const troubleAdvice = ({ trouble: { unit } }: ServiceTrouble): ReadonlyArray<string> => [
  "Correct the cause, then start it: autopilotd start --detach",
  "Look for mistakes in the settings: autopilotd config check",
  `Read more of its journal: journalctl --user -u ${unit} -n 50`
]
