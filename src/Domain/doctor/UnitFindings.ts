import { troubleIn, troubleSentence } from "../systemd/UnitTrouble.ts"
import { printable } from "../text/Printable.ts"
import { error, type Finding, fine, warning } from "./Finding.ts"

/** What is found of a unit that `install` has written. */
export interface UnitFacts {
  readonly path: string
  /** How it differs from what `install` would write; continues a sentence that begins with its path. */
  readonly fault: string | undefined
  /** The output of `systemctl show`. */
  readonly properties: ReadonlyMap<string, string>
}

/** The unit as findings name it. */
export interface UnitSubject {
  readonly about: string
  /** For commands of systemd: `autopilotd`. */
  readonly unit: string
  /** The command that writes the unit. */
  readonly install: string
}

/** Judges the file of a unit. */
export const unitFileFindings = (
  { about, install, unit }: UnitSubject,
  { fault, path }: UnitFacts
): ReadonlyArray<Finding> =>
  fault === undefined
    ? []
    : [
        warning(
          about,
          `${path} ${fault}.`,
          `Run: ${install}. Keep changes of your own in a drop-in: systemctl --user edit ${unit}`
        )
      ]

const isOn = (state: string): boolean => state === "enabled" || state === "enabled-runtime"

/**
 * Judges what systemd makes of a unit. `whyNotOwn` is the finding that another process does the unit's work, which then
 * says more than the unit's own state.
 */
export const unitStateFindings = (
  { about, install, unit }: UnitSubject,
  { properties }: UnitFacts,
  whyNotOwn?: Finding
): ReadonlyArray<Finding> => {
  const of = (name: string) => properties.get(name) ?? ""
  const load = of("LoadState")
  if (load === "masked")
    return [error(about, "It is masked, so systemd cannot start it.", `systemctl --user unmask ${unit}`)]
  if (load !== "loaded") {
    return [
      error(
        about,
        `systemd cannot use the unit (${printable(load)}): ${printable(of("LoadError"), 200)}.`,
        `systemctl --user daemon-reload. If that does not help, run: ${install}`
      )
    ]
  }
  const active = of("ActiveState")
  const file = of("UnitFileState")
  const trouble = troubleIn(unit, properties)
  const state = (): Finding =>
    trouble !== undefined
      ? error(
          about,
          troubleSentence(trouble),
          `Read journalctl --user -u ${unit} -n 30, then: systemctl --user restart ${unit}`
        )
      : active === "inactive"
        ? warning(about, "It is not running.", `systemctl --user start ${unit}`)
        : fine(about, `It is ${printable(active)} and ${printable(file)}.`)
  return [
    ...(of("NeedDaemonReload") === "yes"
      ? [warning(about, "The unit has changed since systemd loaded it.", "systemctl --user daemon-reload")]
      : []),
    ...(isOn(file)
      ? []
      : [
          warning(
            about,
            `It is ${printable(file || "not enabled")}, so it does not start with the machine.`,
            `systemctl --user enable ${unit}`
          )
        ]),
    whyNotOwn ?? state()
  ]
}
