import type { TableForm } from "../toml/Form.ts"
import { formOfTable } from "../toml/FormOf.ts"
import { ControlRequest } from "./ControlProtocol.ts"

/** The form of each request by its type. The build puts what this returns into a bundle. */
export const requestForms = (): Readonly<Record<string, TableForm>> =>
  Object.fromEntries(
    ControlRequest.members.map(({ ast, fields }) => [fields.type.literals[0], formOfTable(ast)])
  )
