/**
 * Draws a world and its schedule from a seed. How violent each kind of fault is, and in which order messages tend to
 * arrive, is drawn anew for each seed ("swarm testing"): rare bugs need much of one fault and little of the others.
 */
import { Chance } from '../chance.ts'
import { Violation } from '../checkers/violation.ts'
import type { Protocol } from '../protocol.ts'
import type { Action, Recall } from './action.ts'
import type { Command } from './command.ts'
import type { Parcel } from './connector.ts'
import { World, type WorldOptions } from './world.ts'

/** What a seed may draw. Ranges are inclusive. */
export type Profile = Readonly<{
  nodeCounts: readonly number[]
  connectorCount: readonly [number, number]
  operationCount: readonly [number, number]
  /** Steps of the first phase, for each operation. */
  stepsPerOperation: readonly [number, number]
  removerCount: readonly [number, number]
  /** How often a remover looks, out of the sum of all. */
  looks: readonly number[]
  /** Which command there is most of. */
  emphases: readonly Emphasis[]
}>

type Emphasis = 'create' | 'update' | 'delete' | 'read'

export const PROFILE: Profile = {
  nodeCounts: [3, 3, 4, 5],
  connectorCount: [2, 4],
  operationCount: [6, 14],
  stepsPerOperation: [5, 25],
  removerCount: [1, 2],
  looks: [0, 0, 0.1, 0.5],
  emphases: ['create', 'update', 'delete', 'read'],
}

/** A pending operation must end within this many steps of a healed network. */
const HEALED_STEPS_MAX = 5_000

/** How often, out of the sum of all, a step is of a kind. */
type Weights = Record<Exclude<Action['kind'], 'heal'>, number>

export type Run = Readonly<{
  options: WorldOptions
  /** What was done; with a violation, the last is the one that showed it, or all of them do. */
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
  readonly #actions: Action[] = []
  readonly #weights: Weights
  readonly #kinds: (keyof Weights)[]
  readonly #weightSum: number
  readonly #order: 'any' | 'newest' | 'by rank'
  /** The next operation to submit. */
  #operation = 0
  /** The read at the end. */
  readonly #lastOperation: number

  constructor(seed: number, protocol: Protocol, profile: Profile) {
    const chance = new Chance(seed)
    const operationCount = chance.between(...profile.operationCount)
    this.#chance = chance
    this.#options = {
      nodeCount: chance.of(profile.nodeCounts),
      connectorCount: chance.between(...profile.connectorCount),
      removerCount: chance.between(...profile.removerCount),
      commands: [...drawCommands(chance, operationCount, profile.emphases), { kind: 'read' }],
      protocol,
    }
    this.#stepCount = operationCount * chance.between(...profile.stepsPerOperation)
    this.#weights = drawWeights(chance, operationCount / this.#stepCount, profile.looks)
    this.#kinds = Object.keys(this.#weights) as (keyof Weights)[]
    this.#weightSum = Object.values(this.#weights).reduce((sum, weight) => sum + weight, 0)
    this.#order = chance.of(['any', 'any', 'newest', 'by rank'])
    this.#lastOperation = operationCount
    this.#world = new World(this.#options)
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
    const { messageCount } = this.#world
    return { options: this.#options, actions: this.#actions, messageCount, failure }
  }

  #perform(action: Action | undefined): void {
    if (action === undefined) return
    this.#actions.push(action)
    this.#world.perform(action)
  }

  // First phase: everything may happen --------------------------------------------------------------------------------

  #step(): void {
    let ticket = this.#chance.uniform() * this.#weightSum
    for (const kind of this.#kinds) {
      ticket -= this.#weights[kind]
      if (ticket < 0) return this.#perform(this.#draw(kind))
    }
  }

  #draw(kind: keyof Weights): Action | undefined {
    const chance = this.#chance
    const { connectors, nodes, pending, removers } = this.#world
    switch (kind) {
      case 'submit':
        return this.#drawSubmit()
      case 'deliver':
      case 'repeat': {
        const parcel = this.#drawParcel()
        return parcel === undefined ? undefined : { kind, parcel: parcel.id }
      }
      case 'lose': {
        const parcel = this.#drawParcel()
        return parcel === undefined ? undefined : { kind, parcel: parcel.id, isLate: chance.happens(0.4) }
      }
      case 'crash on': {
        const parcel = this.#drawParcel()
        return parcel === undefined ? undefined : { kind, parcel: parcel.id, isSaved: chance.happens(0.6) }
      }
      case 'crash':
      case 'restart':
      case 'sync':
        return { kind, node: chance.below(nodes.length) }
      case 'suspect':
        return {
          kind,
          connector: chance.below(connectors.length),
          node: chance.below(nodes.length),
          isSuspect: chance.happens(0.4),
        }
      case 'expire':
        return pending.length === 0 ? undefined : { kind, operation: chance.of(pending).number }
      case 'replace':
        return { kind, connector: chance.below(connectors.length) }
      case 'look':
      case 'grace':
        return { kind, remover: chance.below(removers.length) }
      default:
        return kind satisfies never
    }
  }

  #drawSubmit(): Action | undefined {
    if (this.#operation === this.#lastOperation) return undefined
    const operation = this.#operation
    this.#operation += 1
    const connector = this.#chance.below(this.#world.connectors.length)
    return { kind: 'submit', operation, connector, recall: this.#drawRecall() }
  }

  #drawRecall(): Recall {
    const ticket = this.#chance.below(20)
    const { views } = this.#world
    if (ticket < 12 || views.length === 0) return 'own'
    if (ticket < 17) return this.#chance.below(views.length)
    return ticket < 19 ? 'forgotten' : 'no view'
  }

  #drawParcel(): Parcel | undefined {
    const { parcels } = this.#world
    if (parcels.length === 0) return undefined
    if (this.#order === 'any') return this.#chance.of(parcels)
    if (this.#order === 'newest') {
      // The others wait; now and then one of them is remembered.
      const window = this.#chance.happens(0.1) ? parcels.length : Math.min(6, parcels.length)
      return parcels[parcels.length - 1 - this.#chance.below(window)]
    }
    // Each parcel has a rank of its own for good, so some stay behind through everything that happens meanwhile.
    let best = parcels[0]!
    for (const parcel of parcels) if (rankOf(parcel.id) > rankOf(best.id)) best = parcel
    return best
  }

  // Second phase: the network is healed -------------------------------------------------------------------------------

  #end(): void {
    this.#perform({ kind: 'heal' })
    while (this.#operation < this.#lastOperation) {
      this.#perform(this.#drawSubmit())
      for (let i = this.#chance.below(20); i > 0; i -= 1) this.#perform(this.#drawHealed())
      if (this.#weights.look > 0) this.#remove()
    }
    this.#settle()
    // A connector that knows nothing reads what there is; the history must explain it.
    const connector = this.#world.connectors.length
    this.#perform({ kind: 'submit', operation: this.#lastOperation, connector, recall: 'own' })
    this.#settle()
  }

  /** Some steps of a removal, in the healed phase. */
  #remove(): void {
    for (let i = this.#chance.below(12); i > 0; i -= 1)
      this.#perform(this.#draw(this.#chance.happens(0.8) ? 'look' : 'grace'))
  }

  #settle(): void {
    for (let step = 0; this.#world.pending.length > 0; step += 1) {
      const action = this.#drawHealed()
      if (action === undefined || step === HEALED_STEPS_MAX) {
        const { number } = this.#world.pending[0]!
        throw new Violation(
          'operations end',
          `operation ${number} does not end although the network is healed`,
        )
      }
      this.#perform(action)
    }
  }

  /** Any message, or, when there is none, a timer: backing off takes longer than a message. */
  #drawHealed(): Action | undefined {
    const { parcels } = this.#world
    if (parcels.length === 0) return undefined
    const start = this.#chance.below(parcels.length)
    for (let i = 0; i < parcels.length; i += 1) {
      const parcel = parcels[(start + i) % parcels.length]!
      if (parcel.kind !== 'timer') return { kind: 'deliver', parcel: parcel.id }
    }
    return { kind: 'deliver', parcel: parcels[start]!.id }
  }
}

function drawWeights(chance: Chance, submit: number, looks: Profile['looks']): Weights {
  const look = chance.of(looks)
  const rare = () => chance.of([0, 0, 0.01, 0.05])
  return {
    deliver: 1,
    submit: submit * 1.5,
    repeat: rare(),
    lose: chance.of([0, 0.02, 0.1, 0.3]),
    'crash on': rare(),
    crash: chance.of([0, 0, 0.01, 0.03]),
    restart: chance.of([0.02, 0.1]),
    sync: 0.05,
    suspect: chance.of([0, 0.02, 0.1]),
    expire: chance.of([0, 0, 0.005, 0.03]),
    replace: chance.of([0, 0, 0.005, 0.02]),
    look,
    grace: look * chance.of([0.1, 0.3]),
  }
}

function drawCommands(chance: Chance, count: number, emphases: Profile['emphases']): Command[] {
  const emphasis = chance.of(emphases)
  const commands: Command[] = []
  for (let i = 0; i < count; i += 1) {
    const kind =
      i === 0 || chance.happens(0.2) ? 'create' : chance.of(['update', 'delete', 'read', emphasis] as const)
    if (kind === 'read') commands.push({ kind: chance.happens(0.2) ? 'settle' : kind })
    else if (kind === 'create') commands.push({ kind })
    else commands.push({ kind, version: chance.happens(0.3) ? chance.between(1, 3) : undefined })
  }
  return commands
}

/** Scatters ids over 32 bits. */
function rankOf(id: number): number {
  return Math.imul(id ^ (id >>> 15), 0x2c1b3c6d) >>> 0
}
