import * as Layer from "effect/Layer"
import * as EnvFile from "../../Layers/EnvFile.ts"
import * as HomeInspection from "../../Layers/HomeInspection.ts"
import * as MemoryReader from "../../Layers/MemoryReader.ts"
import * as ServiceFiles from "../../Layers/ServiceFiles.ts"
import * as ServiceInspection from "../../Layers/ServiceInspection.ts"
import * as SettingsFile from "../../Layers/SettingsFile.ts"
import * as SystemdTools from "../../Layers/SystemdTools.ts"
import * as UserManager from "../../Layers/UserManager.ts"
import * as WorkerInspection from "../../Layers/WorkerInspection.ts"

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
