import * as Schema from "effect/Schema"
import { ConfigRefused, ConfigWritten, ReloadData, ShownConfig } from "../config/SettingsData.ts"
import { SubscriptionLine } from "../control/Subscription.ts"
import { HogsData } from "../guard/HogsData.ts"
import { HistoryData } from "../history/HistoryData.ts"
import { MetricsData } from "../metrics/MetricsData.ts"
import { BudgetData } from "../session/BudgetData.ts"
import { ProjectsData } from "../status/ProjectsData.ts"
import { StatusData } from "../status/StatusData.ts"
import {
  DoctorData,
  InitData,
  InstallData,
  InstallPrintData,
  LogLine,
  NotifyListData,
  NotifyTestData,
  RunData,
  StartData,
  UninstallData,
  VersionData,
  WaitData,
  WhyAllData,
  WhyData
} from "./CommandData.ts"
import { FleetDoctorData, FleetLine, FleetStatusData } from "./FleetData.ts"
import { ConfigCheckData, ConfigGetData, SettingRefusedData } from "./SettingsReportData.ts"

const changed = Schema.Union(ConfigWritten, SettingRefusedData)
const JsonSchema = Schema.Record({ key: Schema.String, value: Schema.Unknown }).annotations({
  description: "The JSON Schema of the settings file, in draft 7"
})

/**
 * What stands in `data` of the answer of each command, or in a line of those that print lines. A command that has no
 * data has none here.
 */
export const answerSchemas = {
  start: StartData,
  run: Schema.Union(RunData, StartData),
  status: StatusData,
  projects: ProjectsData,
  logs: LogLine,
  metrics: MetricsData,
  hogs: HogsData,
  history: HistoryData,
  events: SubscriptionLine,
  wait: WaitData,
  why: Schema.Union(WhyData, WhyAllData),
  doctor: DoctorData,
  switch: StatusData,
  use: StatusData,
  "start-worker": StatusData,
  "stop-worker": StatusData,
  "restart-worker": StatusData,
  "budget show": BudgetData,
  "budget reset": StatusData,
  "notify test": NotifyTestData,
  "notify list": NotifyListData,
  "fleet status": FleetStatusData,
  "fleet watch": FleetLine,
  "fleet doctor": FleetDoctorData,
  reload: Schema.Union(ReloadData, ConfigRefused),
  init: InitData,
  install: Schema.Union(InstallData, InstallPrintData),
  uninstall: UninstallData,
  "config check": ConfigCheckData,
  "config show": ShownConfig,
  "config get": ConfigGetData,
  "config set": changed,
  "config unset": changed,
  "config edit": ConfigWritten,
  "config schema": JsonSchema,
  version: VersionData
} as const

/** The commands that print a line for each thing, instead of one answer. */
export const lineCommands: ReadonlyArray<string> = ["logs", "events", "fleet watch"]
