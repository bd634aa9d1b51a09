import { SavedSamples } from "../../../src/Domain/memory/SamplesData.ts"
import { savedSamplesShape } from "../../../src/Domain/memory/SavedSamplesShape.ts"
import { byShape, readsAsSchema } from "../../fixtures/ReadsAsSchema.ts"

readsAsSchema("the saved memory timeline", byShape(savedSamplesShape()), SavedSamples)
