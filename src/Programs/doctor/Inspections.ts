import * as Layer from "effect/Layer"
import * as HomeInspection from "../../Layers/doctor/HomeInspection.ts"
import * as ServiceInspection from "../../Layers/doctor/ServiceInspection.ts"
import * as WorkerInspection from "../../Layers/doctor/WorkerInspection.ts"
import * as MemoryReader from "../../Layers/machine/MemoryReader.ts"
import * as ServiceFiles from "../../Layers/service/ServiceFiles.ts"
import * as UserManager from "../../Layers/service/UserManager.ts"
import * as SettingsFile from "../../Layers/settings/SettingsFile.ts"
import * as SystemdTools from "../../Layers/systemd/SystemdTools.ts"
import * as EnvFile from "../../Layers/worker/EnvFile.ts"

/** What looks at the things that `doctor` tells of. */
export const Inspections = Layer.mergeAll(
  HomeInspection.layer,
  MemoryReader.layer,
  SettingsFile.layer,
  Layer.provide(WorkerInspection.layer, EnvFile.layer),
  ServiceInspection.layer.pipe(
    Layer.provide(Layer.merge(ServiceFiles.layer, UserManager.layer)),
    Layer.provide(SystemdTools.layer)
  )
)
