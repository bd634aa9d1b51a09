import type { Form } from "../toml/Form.ts"
import { formOf } from "../toml/FormOf.ts"
import { RelaySettings } from "./RelaySettings.ts"

/** The form of what the daemon hands to its relay. The build puts what this returns into a bundle. */
export const relaySettingsForm = (): Form => formOf(RelaySettings.ast)
