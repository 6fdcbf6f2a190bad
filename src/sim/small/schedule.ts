/**
 * Draws a world and its schedule from a seed. How violent each kind of fault is, and in which order messages
 * tend to arrive, is drawn anew for each seed ("swarm testing"): rare bugs need much of one fault and little
 * of the others.
 */
import { Chance } from '../chance.ts'
import { Violation } from '../checkers/violation.ts'
import type { Protocol } from '../protocol.ts'
import type { Action, Change, Recall } from './action.ts'
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
  /** How many changes of the membership there are at most; drawn apart from all else. */
  changesMax: readonly number[]
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
  changesMax: [0, 1, 4],
  emphases: ['create', 'update', 'delete', 'read'],
}

/** A membership that never changes. */
export const STABLE: Profile = { ...PROFILE, changesMax: [0] }

/** A pending operation must end within this many steps of a healed network. */
const HEALED_STEPS_MAX = 5_000

/** How often, out of the sum of all, a step is of a kind. */
type Weights = Record<Exclude<Action['kind'], 'heal'>, number>
type ChangeWeights = Pick<Weights, 'change' | 'follow' | 'show' | 'transfer' | 'lose disk' | 'return disk'>

/** Seeds are below it. */
const CHANGES_APART = 2 ** 52

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
  /** Changes that may still begin. */
  #changesLeft: number
  readonly #order: 'any' | 'newest' | 'by rank'
  /** The next operation to submit. */
  #operation = 0
  /** The read at the end. */
  readonly #lastOperation: number

  constructor(seed: number, protocol: Protocol, profile: Profile) {
    // Apart, so that the same seed gives the same schedule of an unchanging membership, whatever is drawn of
    // changes.
    const changeChance = new Chance(seed + CHANGES_APART)
    this.#changesLeft = changeChance.of(profile.changesMax)
    const chance = new Chance(seed)
    const operationCount = chance.between(...profile.operationCount)
    this.#chance = chance
    this.#options = {
      nodeCount: chance.of(profile.nodeCounts),
      canChange: this.#changesLeft > 0,
      connectorCount: chance.between(...profile.connectorCount),
      removerCount: chance.between(...profile.removerCount),
      commands: [...drawCommands(chance, operationCount, profile.emphases), { kind: 'read' }],
      protocol,
    }
    // A change takes steps too.
    this.#stepCount = operationCount * chance.between(...profile.stepsPerOperation) + 30 * this.#changesLeft
    this.#weights = {
      ...drawWeights(chance, operationCount / this.#stepCount, profile.looks),
      ...drawChangeWeights(changeChance, this.#changesLeft / this.#stepCount),
    }
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

  // First phase: everything may happen ----------------------------------------------------------------------

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
      case 'lose disk':
      case 'return disk':
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
      case 'change':
        return this.#drawChange()
      case 'follow':
        return this.#drawFollow(chance.happens(0.3))
      case 'show':
        return { kind, node: chance.below(nodes.length), epoch: chance.between(1, this.#world.newest.number) }
      case 'transfer':
        return this.#drawTransfer(chance.happens(0.3) ? chance.below(nodes.length) : undefined)
      default:
        return kind satisfies never
    }
  }

  #drawChange(): Action | undefined {
    if (this.#changesLeft === 0) return undefined
    this.#changesLeft -= 1
    const chance = this.#chance
    const { nodes, newest } = this.#world
    // Most changes concern who is joining, or whose disk is lost: those are what makes a difference.
    const concerned = newest.isJoint
      ? newest.joining.map((index) => newest.nodes[index]!)
      : newest.nodes.filter((node) => nodes[node]!.isLost)
    const member =
      concerned.length > 0 && chance.happens(0.8) ? chance.of(concerned) : chance.of(newest.nodes)
    const kind = chance.of(['add', 'replace', 'replace', 'remove'] as const)
    const change: Change = kind === 'add' ? { kind } : { kind, member }
    return { kind: 'change', change }
  }

  /** A connector learns of a newer epoch, of any or the newest. */
  #drawFollow(isAny: boolean): Action | undefined {
    const { connectors, newest } = this.#world
    const behind = connectors.flatMap(({ epoch }, index) => (epoch === newest ? [] : [index]))
    if (behind.length === 0) return undefined
    const connector = this.#chance.of(behind)
    const least = connectors[connector]!.epoch.number + 1
    return {
      kind: 'follow',
      connector,
      epoch: isAny ? this.#chance.between(least, newest.number) : newest.number,
    }
  }

  #drawTransfer(skipped: number | undefined): Action | undefined {
    const { connectors } = this.#world
    const joint = connectors.flatMap(({ epoch }, index) => (epoch.isJoint ? [index] : []))
    return joint.length === 0 ? undefined : { kind: 'transfer', connector: this.#chance.of(joint), skipped }
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
    // Each parcel has a rank of its own for good, so some stay behind through everything that happens
    // meanwhile.
    let best = parcels[0]!
    for (const parcel of parcels) if (rankOf(parcel.id) > rankOf(best.id)) best = parcel
    return best
  }

  // Second phase: the network is healed ---------------------------------------------------------------------

  #end(): void {
    this.#perform({ kind: 'heal' })
    this.#replaceLost()
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

  /** A node that lost its disk while it was joining is waited for, or replaced. */
  #replaceLost(): void {
    const { newest, nodes } = this.#world
    const member = newest.joining.map((index) => newest.nodes[index]!).find((node) => nodes[node]!.isLost)
    if (member !== undefined) this.#perform({ kind: 'change', change: { kind: 'replace', member } })
  }

  #settle(): void {
    const world = this.#world
    for (let step = 0; world.pending.length > 0 || world.newest.isJoint; step += 1) {
      const action = this.#drawHealed()
      if (action === undefined || step === HEALED_STEPS_MAX) {
        const what = world.pending.length > 0 ? `operation ${world.pending[0]!.number}` : 'a change'
        throw new Violation('operations end', `${what} does not end although the network is healed`)
      }
      this.#perform(action)
    }
  }

  /** Any message, or, when there is none, a timer: backing off takes longer than a message. */
  #drawHealed(): Action | undefined {
    const { parcels, epochs } = this.#world
    if (epochs.length > 1 && (parcels.length === 0 || this.#chance.happens(0.2))) {
      const action = this.#drawFollow(false) ?? this.#drawTransfer(undefined)
      if (action !== undefined) return action
    }
    if (parcels.length === 0) return undefined
    const start = this.#chance.below(parcels.length)
    for (let i = 0; i < parcels.length; i += 1) {
      const parcel = parcels[(start + i) % parcels.length]!
      if (parcel.kind !== 'timer') return { kind: 'deliver', parcel: parcel.id }
    }
    return { kind: 'deliver', parcel: parcels[start]!.id }
  }
}

/** Without changes, all of them are 0: the schedule is what it would be without these kinds. */
function drawChangeWeights(chance: Chance, change: number): ChangeWeights {
  if (change === 0) return { change: 0, follow: 0, show: 0, transfer: 0, 'lose disk': 0, 'return disk': 0 }
  return {
    change: change * 2,
    follow: chance.of([0.02, 0.1, 0.3]),
    show: chance.of([0, 0.02]),
    transfer: chance.of([0.02, 0.1, 0.5]),
    'lose disk': chance.of([0, 0, 0.01, 0.03]),
    'return disk': chance.of([0, 0, 0.01]),
  }
}

function drawWeights(
  chance: Chance,
  submit: number,
  looks: Profile['looks'],
): Omit<Weights, keyof ChangeWeights> {
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
