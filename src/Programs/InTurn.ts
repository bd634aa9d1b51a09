import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

type AnyLayer = Parameters<typeof Layer.mergeAll>[0]

/**
 * Builds layers one after the other, in one scope, which closes them in reverse. Layer.mergeAll starts a fiber and a scope for
 * each, which takes a start longer than building them: most only make a record. The type is that of Layer.mergeAll, which cannot
 * be inferred through the loop.
 */
export const inTurn = <Layers extends readonly [AnyLayer, ...Array<AnyLayer>]>(...layers: Layers) =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const built = yield* Layer.CurrentMemoMap
      const scope = yield* Effect.scope
      let context = Context.empty() as Context.Context<Layer.Layer.Success<Layers[number]>>
      for (const layer of layers as ReadonlyArray<Layers[number]>)
        context = Context.merge(context, yield* Layer.buildWithMemoMap(layer, built, scope))
      return context
    })
  ) as ReturnType<typeof Layer.mergeAll<Layers>>
