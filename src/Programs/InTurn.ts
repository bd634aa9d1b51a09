import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { keepingInterruptions } from "../Layers/concurrency/KeptInterruptions.ts"

type AnyLayer = Parameters<typeof Layer.mergeAll>[0]

type AnyLayers = ReadonlyArray<AnyLayer>

/** What layers still need when each has what those before it have made. */
type Missing<Layers extends AnyLayers, Has = never, Needs = never> = Layers extends readonly [
  infer First extends AnyLayer,
  ...infer Rest extends AnyLayers
]
  ? Missing<Rest, Has | Layer.Layer.Success<First>, Needs | Exclude<Layer.Layer.Context<First>, Has>>
  : Needs

/** What they make, and how they fail: of each alone, because a union of layers has the type of neither. */
type Made<Layers extends AnyLayers> = { [At in keyof Layers]: Layer.Layer.Success<Layers[At]> }[number]
type Failed<Layers extends AnyLayers> = { [At in keyof Layers]: Layer.Layer.Error<Layers[At]> }[number]

type Built = Effect.Effect<Context.Context<never>>

/** The effect of a layer that is made by one, not of others: a field that is not in the published type of Layer. */
const effectOf = (layer: AnyLayer): Built | undefined =>
  "effect" in layer && Effect.isEffect(layer.effect) ? (layer.effect as Built) : undefined

/** Builds layers in a scope. Returns what they have made, beside the context that is given. */
const build = (layers: AnyLayers, given: Context.Context<never>, scope: Scope.Scope) =>
  Effect.gen(function* () {
    let made = given
    for (const layer of layers) {
      // What a layer adds to its scope later, such as a lock that is taken again, is closed with it, not before all others.
      const own = yield* Scope.fork(scope, ExecutionStrategy.sequential)
      yield* FiberRef.set(FiberRef.currentContext, Context.add(made, Scope.Scope, own))
      const context = yield* effectOf(layer) ?? Layer.buildWithScope(layer as Layer.Layer<never>, own)
      made = Context.merge(made, context)
    }
    return made
  })

/**
 * Provides layers, which are built one after the other: each has what those before it have made. They are closed in reverse,
 * and no fiber loses the interruption that ends it. Effect's own composition has a deferred, three references and a lock for
 * each layer, and provides it with a context of its own: two thirds of the operations of a start, and a megabyte as long as
 * the daemon runs.
 */
export const provideInTurn =
  <const Layers extends AnyLayers>(...layers: Layers) =>
  <A, E, R>(
    program: Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | Failed<Layers>, Missing<Layers> | Exclude<R, Made<Layers>>> =>
    keepingInterruptions(
      Effect.scopedWith((scope) =>
        Effect.contextWithEffect((given: Context.Context<never>) =>
          // Afterwards the fiber has its own context again.
          Effect.flatMap(Effect.provide(build(layers, given, scope), given), (made) =>
            Effect.provide(program, made as Context.Context<R>)
          )
        )
      )
    )
