/** Draws a world and its schedule from a seed. */
import { Chance } from '../chance.ts'
import { Violation } from '../checkers/violation.ts'
import type { Protocol } from '../protocol.ts'
import type { Action } from './action.ts'
import { Draws } from './draws.ts'
import {
  drawChangeWeights,
  drawCommands,
  drawDamageWeights,
  drawWeights,
  NO_LAGGARD,
  PROFILE,
  type Profile,
  type Weights,
} from './profile.ts'
import { World, type WorldOptions } from './world.ts'

/** All operations must end within this many steps after the network is healed. */
const HEALED_STEPS_MAX = 5_000

/** All seeds are lower. */
const CHANGES_APART = 2 ** 52
const DAMAGES_APART = 2 ** 51
const INVENTIONS_APART = 2 ** 50

export type Run = Readonly<{
  options: WorldOptions
  /**
   * The steps that were taken. If there was a violation, the last step showed it, or it needs the whole run
   * to show.
   */
  actions: readonly Action[]
  messageCount: number
  /** What went wrong: a `Violation`, or an assertion of the core itself. */
  failure: Error | undefined
}>

/** Runs the world of a seed to its end, or to the first violation. */
export function run(seed: number, protocol: Protocol, profile: Profile = PROFILE): Run {
  return new Schedule(seed, protocol, profile).run()
}

class Schedule {
  readonly #chance: Chance
  readonly #options: WorldOptions
  readonly #stepCount: number
  readonly #world: World
  readonly #draws: Draws
  readonly #actions: Action[] = []
  /** The kinds of steps in the first phase, with their weights. */
  readonly #kinds: readonly (keyof Weights)[]
  readonly #weights: readonly number[]
  readonly #weightSum: number
  readonly #isRemoving: boolean
  /** The share of the healed cluster's own upkeep among the steps of the second phase. */
  readonly #upkeep: number
  /** The number of the read at the end. */
  readonly #lastOperation: number

  constructor(seed: number, protocol: Protocol, profile: Profile) {
    // A generator of its own, so that the draws for changes do not alter the schedule of a world whose
    // membership never changes.
    const changeChance = new Chance(seed + CHANGES_APART)
    const changesLeft = changeChance.of(profile.changesMax)
    const chance = new Chance(seed)
    const operationCount = chance.between(...profile.operationCount)
    this.#chance = chance
    this.#options = {
      nodeCount: chance.of(profile.nodeCounts),
      canChange: changesLeft > 0,
      connectorCount: chance.between(...profile.connectorCount),
      removerCount: chance.between(...profile.removerCount),
      commands: [...drawCommands(chance, operationCount, profile.emphases), { kind: 'read' }],
      protocol,
    }
    const { steps, haste, laggards } = profile.changes
    // A change takes steps too.
    this.#stepCount = operationCount * chance.between(...profile.stepsPerOperation) + steps * changesLeft
    const weights: Weights = {
      ...drawWeights(chance, operationCount / this.#stepCount, profile.looks),
      ...drawChangeWeights(changeChance, changesLeft / this.#stepCount),
      ...drawDamageWeights(new Chance(seed + DAMAGES_APART), profile.damages),
      invent: changesLeft === 0 ? 0 : new Chance(seed + INVENTIONS_APART).of(profile.inventions),
      ...profile.weights,
    }
    const laggard = changesLeft === 0 ? NO_LAGGARD : changeChance.of(laggards)
    const drawn = Object.entries(weights).filter(([, weight]) => weight > 0)
    this.#kinds = drawn.map(([kind]) => kind as keyof Weights)
    this.#weights = drawn.map(([, weight]) => weight)
    this.#weightSum = this.#weights.reduce((sum, weight) => sum + weight, 0)
    this.#isRemoving = weights.look > 0
    const order = chance.of(['any', 'any', 'newest', 'by rank'] as const)
    this.#lastOperation = operationCount
    this.#world = new World(this.#options)
    this.#upkeep = changesLeft === 0 ? 0 : changeChance.of([0.02, 0.2])
    this.#draws = new Draws(chance, this.#world, {
      order,
      operationCount,
      changesLeft,
      kinds: profile.changes.kinds,
      haste: changesLeft === 0 ? 0 : changeChance.of(haste),
      isEmptyAtFirst: changesLeft > 0 && changeChance.of(profile.changes.isEmptyAtFirst),
      lateNode: laggard.node ? changeChance.below(3) : undefined,
      lateConnector: laggard.connector ? 0 : undefined,
    })
  }

  run(): Run {
    let failure: Error | undefined
    try {
      for (let step = 0; step < this.#stepCount; step += 1) this.#step()
      this.#end()
      this.#world.finish()
    } catch (error) {
      failure = error as Error
    }
    const { messageCount } = this.#world.network
    return { options: this.#options, actions: this.#actions, messageCount, failure }
  }

  #perform(action: Action | undefined): void {
    if (action === undefined) return
    this.#actions.push(action)
    this.#world.perform(action)
  }

  /** First phase: all faults may happen. */
  #step(): void {
    let ticket = this.#chance.uniform() * this.#weightSum
    for (let index = 0; index < this.#kinds.length; index += 1) {
      ticket -= this.#weights[index]!
      if (ticket < 0) return this.#perform(this.#draws.draw(this.#kinds[index]!))
    }
  }

  /** Second phase: the network is healed, and all operations must end. */
  #end(): void {
    this.#perform({ kind: 'heal' })
    while (this.#draws.hasOperations) {
      this.#perform(this.#draws.submit())
      for (let i = this.#chance.below(20); i > 0; i -= 1) this.#perform(this.#drawHealed())
      if (this.#isRemoving) this.#remove()
    }
    this.#settle()
    // A connector that knows nothing reads the key; the history must explain its answer.
    const connector = this.#world.connectors.list.length
    this.#perform({ kind: 'submit', operation: this.#lastOperation, connector, recall: 'own' })
    this.#settle()
  }

  /** Some steps of a removal. */
  #remove(): void {
    for (let i = this.#chance.below(12); i > 0; i -= 1)
      this.#perform(this.#draws.draw(this.#chance.happens(0.8) ? 'look' : 'grace'))
  }

  #settle(): void {
    const { connectors, nodes, oracle } = this.#world
    const isOpen = () => connectors.pending.length > 0 || oracle.newest.isJoint || nodes.damaged.length > 0
    for (let step = 0; isOpen(); step += 1) {
      const action = this.#drawHealed()
      if (action === undefined || step === HEALED_STEPS_MAX) {
        const what = connectors.pending[0]?.name ?? (oracle.newest.isJoint ? 'a change' : 'a damage')
        throw new Violation('operations end', `${what} does not end although the network is healed`)
      }
      this.#perform(action)
    }
  }

  #drawHealed(): Action | undefined {
    const { network, nodes, oracle } = this.#world
    const isQuiet = network.parcels.length === 0
    if (
      (oracle.epochs.length > 1 || nodes.damaged.length > 0) &&
      (isQuiet || this.#chance.happens(this.#upkeep))
    ) {
      const action = this.#draws.upkeep()
      if (action !== undefined) return action
    }
    return this.#draws.deliverHealed()
  }
}
