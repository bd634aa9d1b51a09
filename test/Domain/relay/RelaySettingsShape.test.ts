import * as Either from "effect/Either"
import { RelaySettings } from "../../../src/Domain/relay/RelaySettings.ts"
import { relaySettingsForm } from "../../../src/Domain/relay/RelaySettingsShape.ts"
import { misfit } from "../../../src/Domain/Shape.ts"
import { taken } from "../../../src/Domain/toml/Form.ts"
import { readsAsSchema } from "../../fixtures/ReadsAsSchema.ts"

readsAsSchema(
  "what the daemon hands to its relay",
  (value) => Either.getOrElse(taken(relaySettingsForm(), value), () => misfit),
  RelaySettings,
  12
)
