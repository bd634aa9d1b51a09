import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { findingsIn } from "../../Domain/doctor/DoctorAnswer.ts"
import { type Finding, hasErrors } from "../../Domain/doctor/Finding.ts"
import {
  fleetFindingsText,
  fleetProblems,
  fleetText,
  type HostProblem,
  type HostSight,
  problemOf,
  type Snapshot
} from "../../Domain/fleet/FleetText.ts"
import { counted } from "../../Domain/text/Amounts.ts"
import { subscribe } from "../../Layers/control/SubscriptionClient.ts"
import { AutopilotHome } from "../../Layers/daemon/AutopilotHome.ts"
import { clockTime } from "../../Layers/output/ClockTime.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { ownAnswer, remoteAnswer } from "../../Layers/remote/ProgramAnswer.ts"
import { sayDone } from "../Answer.ts"
import { Refused } from "../Refused.ts"
import { version } from "../Version.ts"
import { fleetMembers, type Member, problemFrom } from "./FleetMembers.ts"

/** An ssh costs a process and a login: more at once would slow down all. */
const atOnce = 8

const statusLimit = Duration.seconds(10)

/** The checks of a host ask its disks and systemd. */
const doctorLimit = Duration.seconds(30)

const noAnswer = (limit: Duration.Duration): HostProblem => ({
  code: "no_answer",
  reason: `It has not answered within ${Duration.format(limit)}: the machine, the network or the daemon hangs.`
})

/** Looks at all members side by side. A look that fails is a problem of its host, and takes no longer than the limit. */
const lookAt = <A extends object, R>(
  members: ReadonlyArray<Member>,
  limit: Duration.Duration,
  look: (member: Member) => Effect.Effect<A, HostProblem, R>
) =>
  Effect.forEach(
    members,
    (member): Effect.Effect<HostSight<A>, never, R> =>
      look(member).pipe(
        Effect.timeoutFail({ duration: limit, onTimeout: () => noAnswer(limit) }),
        Effect.merge,
        Effect.map((seen) => ({
          name: member.name,
          ...(member.color === undefined ? {} : { color: member.color }),
          seen
        }))
      ),
    { concurrency: atOnce }
  )

const isSnapshot = (line: { readonly type: string }): line is Snapshot => line.type === "snapshot"

/** The first line of a subscription has both the status and all projects, in one connection. */
const snapshotOf = ({ connection }: Member): Effect.Effect<Snapshot, HostProblem> =>
  subscribe(connection, {}).pipe(
    Stream.filter(isSnapshot),
    Stream.runHead,
    Effect.mapError(problemFrom),
    Effect.flatMap(
      Option.match({
        onNone: () =>
          Effect.fail<HostProblem>({
            code: "bad_answer",
            reason: "Its daemon ended the connection before it answered."
          }),
        onSome: Effect.succeed
      })
    )
  )

const entryOf = ({ name, seen }: HostSight<object>) => ({ host: name, ...problemOf(seen) })

/** `autopilotd fleet status`: the workers of all hosts in one table. */
export const fleetStatus = Effect.fnUntraced(function* (invocation: Invocation) {
  const { colour, columns, out } = yield* CommandOutput
  const { json } = invocation.options
  const sights = yield* lookAt(yield* fleetMembers(invocation), statusLimit, snapshotOf)
  const data = {
    hosts: sights.map((sight) => {
      const { seen } = sight
      return "status" in seen
        ? { ...entryOf(sight), status: seen.status, projects: seen.projects }
        : entryOf(sight)
    })
  }
  const text = fleetText(sights, { clockTime, colour, columns })
  const problems = fleetProblems(sights)
  const failed = sights.flatMap(({ name, seen }) =>
    "projects" in seen
      ? seen.projects.projects.flatMap((row) =>
          row.worker_status === "failed" ? [`${name}/${row.name}`] : []
        )
      : []
  )
  if (problems === undefined && failed.length === 0)
    return yield* sayDone(invocation, { message: counted(sights.length, "host"), data }, text)
  if (json !== true) yield* out(text)
  return yield* new Refused(
    problems === undefined
      ? { reason: `Failed: ${failed.join(", ")}`, code: "worker_failed", data, isTold: json !== true }
      : { reason: problems, code: "hosts_failed", data }
  )
})

interface Findings {
  readonly findings: ReadonlyArray<Finding>
}

const findingsOf = (
  { remote }: Member,
  root: string
): Effect.Effect<Findings, HostProblem, Effect.Effect.Context<ReturnType<typeof ownAnswer>>> => {
  const words = ["doctor"]
  const answer =
    remote === undefined
      ? Effect.mapError(ownAnswer(words), ({ message }): HostProblem => ({ code: "bug", reason: message }))
      : Effect.mapError(remoteAnswer(remote, root, version, words), problemFrom)
  return Effect.flatMap(answer, (text) => {
    const findings = findingsIn(text)
    return findings === undefined
      ? Effect.fail<HostProblem>({
          code: "bad_answer",
          reason: `Its autopilotd answers what this one, of version ${version}, does not understand. Upgrade the older one.`
        })
      : Effect.succeed({ findings })
  })
}

/** `autopilotd fleet doctor`: the checks of all hosts, each carried out there. */
export const fleetDoctor = Effect.fnUntraced(function* (invocation: Invocation) {
  const { colour, out } = yield* CommandOutput
  const { root } = yield* AutopilotHome
  const { json } = invocation.options
  const members = yield* fleetMembers(invocation)
  const sights = yield* lookAt(members, doctorLimit, (member) => Effect.scoped(findingsOf(member, root)))
  const data = {
    hosts: sights.map((sight) => {
      const { seen } = sight
      return "findings" in seen ? { ...entryOf(sight), findings: seen.findings } : entryOf(sight)
    })
  }
  const text = fleetFindingsText(sights, { colour })
  const problems = fleetProblems(sights)
  const bad = sights.flatMap(({ name, seen }) =>
    "findings" in seen && hasErrors(seen.findings) ? [name] : []
  )
  if (problems === undefined && bad.length === 0)
    return yield* sayDone(invocation, { message: counted(sights.length, "host"), data }, text)
  if (json !== true) yield* out(text)
  return yield* new Refused(
    problems === undefined
      ? { reason: `Errors on: ${bad.join(", ")}`, code: "problems_found", data, isTold: json !== true }
      : { reason: problems, code: "hosts_failed", data }
  )
})

export { fleetWatch } from "./FleetWatch.ts"
