import { NotifyState } from "../../../src/Domain/notify/NotifyState.ts"
import { notifyStateShape } from "../../../src/Domain/notify/NotifyStateShape.ts"
import { byShape, readsAsSchema } from "../../fixtures/ReadsAsSchema.ts"

readsAsSchema("the saved state of the notifications", byShape(notifyStateShape()), NotifyState)
