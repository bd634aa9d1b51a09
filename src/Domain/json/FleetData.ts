import * as Schema from "effect/Schema"
import { errorCodes } from "../control/ErrorCode.ts"
import { SubscriptionLine } from "../control/Subscription.ts"
import { Finding } from "../doctor/Finding.ts"
import { ProjectsData } from "../status/ProjectsData.ts"
import { StatusData } from "../status/StatusData.ts"
import { field, perhaps } from "../Wire.ts"

const host = field(Schema.String, "The name in hosts.toml, or of `--hosts`; `local` is this machine")

const failure = {
  code: perhaps(Schema.Literal(...errorCodes), "Why it did not answer, as in an answer without success"),
  reason: perhaps(Schema.String, "The same in sentences")
}

export const FleetStatusData = Schema.Struct({
  hosts: field(
    Schema.Array(
      Schema.Struct({
        host,
        ...failure,
        status: perhaps(StatusData, "As `status` has it; absent when the host did not answer"),
        projects: perhaps(ProjectsData, "As `projects` has it; likewise")
      })
    ),
    "This machine first, then in the order of hosts.toml"
  )
})

export const FleetDoctorData = Schema.Struct({
  hosts: field(
    Schema.Array(
      Schema.Struct({
        host,
        ...failure,
        findings: perhaps(Schema.Array(Finding), "As `doctor` has them; absent when the host did not answer")
      })
    ),
    "This machine first, then in the order of hosts.toml"
  )
})

/** A line of `fleet watch --json`. */
export const FleetLine = Schema.Struct({
  host,
  line: perhaps(SubscriptionLine, "As `events --follow` has it"),
  ...failure
})
