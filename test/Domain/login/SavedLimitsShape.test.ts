import { SavedLimits } from "../../../src/Domain/login/LoginLimit.ts"
import { savedLimitsShape } from "../../../src/Domain/login/SavedLimitsShape.ts"
import { byShape, readsAsSchema } from "../../fixtures/ReadsAsSchema.ts"

readsAsSchema("the saved usage limits", byShape(savedLimitsShape()), SavedLimits)
