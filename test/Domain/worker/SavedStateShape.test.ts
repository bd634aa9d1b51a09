import { SavedState } from "../../../src/Domain/worker/SavedState.ts"
import { savedStateShape } from "../../../src/Domain/worker/SavedStateShape.ts"
import { byShape, readsAsSchema } from "../../fixtures/ReadsAsSchema.ts"

readsAsSchema("the saved state of a project", byShape(savedStateShape()), SavedState)
