import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"

type AnyLayer = Parameters<typeof Layer.mergeAll>[0]

type Built = Effect.Effect<Context.Context<unknown>, unknown, unknown>

/** What a layer that consists of others asks for each of them. It is not in the published type of Layer.MemoMap. */
interface Building extends Layer.MemoMap {
  readonly getOrElseMemoize: (layer: AnyLayer, scope: Scope.Scope) => Built
}

/** The effect of a layer that is made by one, not of others: a field that is not in the published type of Layer. */
const effectOf = (layer: AnyLayer): Built | undefined =>
  "effect" in layer && Effect.isEffect(layer.effect) ? (layer.effect as Built) : undefined

/**
 * Builds each layer once, as Effect's own memo map does, but in turn, and in one scope. That one has a scope, a deferred, three
 * references and a lock for each of the daemon's two hundred layers, and compares all fiber references after each: a tenth of
 * a start's processor, and a megabyte as long as the daemon runs.
 */
const building = (): Building => {
  const built = new Map<AnyLayer, Context.Context<unknown>>()
  const map: Building = {
    [Layer.MemoMapTypeId]: Layer.MemoMapTypeId,
    getOrElseMemoize: (layer, scope) =>
      Effect.suspend(() => {
        const known = built.get(layer)
        if (known !== undefined) return Effect.succeed(known)
        const effect = effectOf(layer)
        const made =
          effect === undefined
            ? Layer.buildWithMemoMap(layer as Layer.Layer<unknown, unknown, unknown>, map, scope)
            : Scope.extend(effect, scope)
        return Effect.map(made, (context) => {
          built.set(layer, context)
          return context
        })
      })
  }
  return map
}

/** Provides a layer, as Effect.provide does. Whatever it consists of is built in turn. */
export const provideInTurn =
  <Out, LayerError, In>(layer: Layer.Layer<Out, LayerError, In>) =>
  <A, E, R>(program: Effect.Effect<A, E, R>): Effect.Effect<A, E | LayerError, In | Exclude<R, Out>> =>
    Effect.scopedWith((scope) =>
      Effect.flatMap(Layer.buildWithMemoMap(layer, building(), scope), (context) =>
        Effect.provide(program, context)
      )
    )

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
