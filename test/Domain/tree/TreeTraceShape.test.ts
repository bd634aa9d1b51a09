import { TreeTrace } from "../../../src/Domain/tree/TreeTrace.ts"
import { treeTraceShape } from "../../../src/Domain/tree/TreeTraceShape.ts"
import { byShape, readsAsSchema } from "../../fixtures/ReadsAsSchema.ts"

readsAsSchema("the saved trace of a process tree", byShape(treeTraceShape()), TreeTrace)
