import { isDamage } from '../../register/damage.ts'
import type { Chance } from '../chance.ts'
import type { Action, Change, Recall } from './action.ts'
import type { Connector } from './connector.ts'
import { GROUP, KEYS, type Key, MEMBERSHIP } from './key.ts'
import type { Parcel } from './network.ts'
import type { Node } from './node.ts'
import type { Weights } from './profile.ts'
import type { World } from './world.ts'

/** The order in which parcels tend to arrive. */
export type Order = 'any' | 'newest' | 'by rank'

export type DrawOptions = Readonly<{
  order: Order
  /** How often messages of a change of the membership overtake all others, from 0 to 1. */
  haste: number
  kinds: readonly Change['kind'][]
  /** Whether clients start only when a change has begun: until then their key was never written. */
  isEmptyAtFirst: boolean
  /** The number of a node that receives clients' writes after all other nodes and is often suspected. */
  lateNode: number | undefined
  /** The place of a connector that learns late of newer epochs. */
  lateConnector: number | undefined
  operationCount: number
  changesLeft: number
}>

/** How many times another parcel is drawn instead of one that shall come late. */
const LATE_DRAWS = 6

/** Draws the steps of a schedule, one after the other, from what is possible at each moment. */
export class Draws {
  readonly #chance: Chance
  readonly #world: World
  readonly #options: DrawOptions
  /** The number of changes of the membership that may still be asked for. */
  #changesLeft: number
  /** The next operation to submit. */
  #operation = 0

  constructor(chance: Chance, world: World, options: DrawOptions) {
    this.#chance = chance
    this.#world = world
    this.#options = options
    this.#changesLeft = options.changesLeft
  }

  get hasOperations(): boolean {
    return this.#operation < this.#options.operationCount
  }

  /** A step of the first phase; `undefined`: there is none of this kind at the moment. */
  draw(kind: keyof Weights): Action | undefined {
    const chance = this.#chance
    const { connectors, nodes, removal } = this.#world
    switch (kind) {
      case 'submit':
        return this.#options.isEmptyAtFirst && this.#world.oracle.epochs.length === 1
          ? undefined
          : this.submit()
      case 'deliver': {
        const parcel = this.#parcelOfChange() ?? this.#parcel()
        return parcel === undefined ? undefined : { kind, parcel: parcel.id }
      }
      case 'repeat': {
        const parcel = this.#parcel()
        return parcel === undefined ? undefined : { kind, parcel: parcel.id }
      }
      case 'lose': {
        const parcel = this.#parcel()
        return parcel === undefined ? undefined : { kind, parcel: parcel.id, isLate: chance.happens(0.4) }
      }
      case 'crash on': {
        const parcel = this.#parcel()
        return parcel === undefined ? undefined : { kind, parcel: parcel.id, isSaved: chance.happens(0.6) }
      }
      case 'crash':
      case 'restart':
      case 'sync':
      case 'lose disk':
      case 'return disk':
        return { kind, node: chance.below(nodes.list.length) }
      case 'suspect':
        return this.#suspect()
      case 'expire':
        return connectors.pending.length === 0
          ? undefined
          : { kind, operation: chance.of(connectors.pending).number }
      case 'replace':
        return { kind, connector: chance.below(connectors.list.length) }
      case 'look':
      case 'grace':
        return { kind, remover: chance.below(removal.removers.length) }
      case 'change':
        return this.#change()
      case 'watch':
        return { kind, connector: chance.below(connectors.list.length) }
      case 'discover':
        return this.#discover()
      case 'show':
        return this.#show()
      case 'transfer':
        return this.#transfer(chance.happens(0.3))
      case 'damage':
        return { kind, node: chance.below(nodes.list.length), key: this.#key() }
      case 'invent':
        return {
          kind,
          node: chance.below(nodes.list.length),
          ahead: chance.between(1, 3),
          form: chance.of(['alone', 'with strangers', 'without one', 'joint']),
        }
      case 'mend':
        return { kind, connector: chance.below(connectors.list.length), key: this.#key() }
      default:
        return kind satisfies never
    }
  }

  /** The next operation of a client. */
  submit(): Action | undefined {
    if (!this.hasOperations) return undefined
    const operation = this.#operation
    this.#operation += 1
    const connector = this.#chance.below(this.#world.connectors.list.length)
    return { kind: 'submit', operation, connector, recall: this.#recall() }
  }

  /** Any message, or, if there is none, a timer: a proposer's pause takes longer than a message. */
  deliverHealed(): Action | undefined {
    const { parcels } = this.#world.network
    if (parcels.length === 0) return undefined
    const start = this.#chance.below(parcels.length)
    for (let i = 0; i < parcels.length; i += 1) {
      const parcel = parcels[(start + i) % parcels.length]!
      if (parcel.kind !== 'timer') return { kind: 'deliver', parcel: parcel.id }
    }
    return { kind: 'deliver', parcel: parcels[start]!.id }
  }

  /**
   * A step that a healed cluster takes by itself, sooner or later, until all nodes and connectors are in the
   * newest epoch; `undefined`: none is needed.
   */
  upkeep(): Action | undefined {
    const chance = this.#chance
    const { nodes, oracle } = this.#world
    const { newest } = oracle
    // A node that has ended because it was told of an epoch without it may be a member in a later one.
    const ended = newest.nodes.find((number) => !nodes.list[number]!.isUp && !nodes.list[number]!.isLost)
    if (ended !== undefined) return { kind: 'restart', node: ended }
    const behind = this.#connectorsThat(({ epoch }) => epoch !== newest)
    const ahead = this.#connectorsThat(({ epoch }) => epoch === newest)
    const away = newest.nodes.filter(
      (number) => nodes.list[number]!.isUp && nodes.list[number]!.epoch !== newest,
    )
    if (away.length > 0 && ahead.length > 0)
      return { kind: 'show', connector: chance.of(ahead), node: chance.of(away) }
    if (behind.length > 0) {
      const connector = chance.of(behind)
      if (chance.happens(0.5)) return { kind: 'watch', connector }
      return { kind: 'discover', connector, skipped: undefined }
    }
    const [damaged] = nodes.damaged
    if (damaged !== undefined && (!newest.isJoint || chance.happens(0.5))) return this.#mend(damaged)
    if (!newest.isJoint) return undefined
    // Only one connector works on the transfer at a time, as the claim of a transfer demands.
    const connector = 0
    const isLost = newest.joining.some((number) => nodes.list[number]!.isLost)
    return { kind: isLost ? 'discover' : 'transfer', connector, skipped: undefined }
  }

  /** A connector learns of a damaged record, and mends it. */
  #mend(damaged: Node): Action {
    const key = KEYS.find((each) => isDamage(damaged.holding(each)))!
    return { kind: 'mend', connector: this.#chance.below(this.#world.connectors.list.length), key }
  }

  #key(): Key {
    return this.#options.changesLeft > 0 && this.#chance.happens(0.3) ? MEMBERSHIP : GROUP
  }

  #suspect(): Action {
    const chance = this.#chance
    const { connectors, nodes } = this.#world
    const connector = chance.below(connectors.list.length)
    const { lateNode } = this.#options
    if (lateNode !== undefined && chance.happens(0.7))
      return { kind: 'suspect', connector, node: lateNode, isSuspect: chance.happens(0.8) }
    return {
      kind: 'suspect',
      connector,
      node: chance.below(nodes.list.length),
      isSuspect: chance.happens(0.4),
    }
  }

  #change(): Action | undefined {
    if (this.#changesLeft === 0) return undefined
    this.#changesLeft -= 1
    const chance = this.#chance
    const { nodes, connectors, oracle } = this.#world
    const { newest } = oracle
    // Most changes concern a node that is joining or whose disk is lost: these find the most faults.
    const concerned = newest.isJoint
      ? newest.joining
      : newest.nodes.filter((number) => nodes.list[number]!.isLost)
    const member =
      concerned.length > 0 && chance.happens(0.8) ? chance.of(concerned) : chance.of(newest.nodes)
    const kind = chance.of(this.#options.kinds)
    const change: Change = kind === 'add' ? { kind } : { kind, member }
    return { kind: 'change', connector: chance.below(connectors.list.length), change }
  }

  /** A connector that is out of date asks nodes that know a newer epoch; or any connector asks any nodes. */
  #discover(): Action | undefined {
    const chance = this.#chance
    const { connectors, nodes } = this.#world
    const skipped = chance.happens(0.5) ? chance.below(nodes.list.length) : undefined
    const behind = this.#connectorsThat(
      ({ epoch, place }) => epoch !== this.#world.oracle.newest && place !== this.#options.lateConnector,
    )
    const connector =
      behind.length > 0 && chance.happens(0.8) ? chance.of(behind) : chance.below(connectors.list.length)
    return { kind: 'discover', connector, skipped }
  }

  /** The link of a connector in a joint epoch comes up. */
  #show(): Action | undefined {
    const chance = this.#chance
    const joint = this.#connectorsThat(({ epoch }) => epoch.isJoint)
    if (joint.length === 0) return undefined
    const connector = chance.of(joint)
    return { kind: 'show', connector, node: chance.of(this.#world.connectors.list[connector]!.epoch.nodes) }
  }

  #transfer(isSkipping: boolean): Action | undefined {
    const joint = this.#connectorsThat(({ epoch }) => epoch.isJoint)
    if (joint.length === 0) return undefined
    const connector = this.#chance.happens(0.8) ? joint[0]! : this.#chance.of(joint)
    const { nodes } = this.#world.connectors.list[connector]!.epoch
    const skipped = isSkipping ? this.#chance.below(nodes.length) : undefined
    return { kind: 'transfer', connector, skipped }
  }

  #connectorsThat(isMeant: (connector: Connector) => boolean): number[] {
    return this.#world.connectors.list.flatMap((connector, index) => (isMeant(connector) ? [index] : []))
  }

  #recall(): Recall {
    const ticket = this.#chance.below(20)
    const { views } = this.#world.connectors
    if (ticket < 12 || views.length === 0) return 'own'
    if (ticket < 17) return this.#chance.below(views.length)
    return ticket < 19 ? 'forgotten' : 'no view'
  }

  /** A message of a change of the membership, if it shall overtake all others. */
  #parcelOfChange(): Parcel | undefined {
    const { haste } = this.#options
    if (haste === 0 || !this.#chance.happens(haste)) return undefined
    const ofChange = this.#world.network.parcels.filter(
      ({ key, kind }) => key === MEMBERSHIP || kind === 'list' || kind === 'listing',
    )
    return ofChange.length === 0 ? undefined : this.#chance.of(ofChange)
  }

  #parcel(): Parcel | undefined {
    const { parcels } = this.#world.network
    if (parcels.length === 0) return undefined
    let parcel = this.#anyParcel(parcels)
    for (let i = 0; i < LATE_DRAWS && this.#isLate(parcel); i += 1) parcel = this.#anyParcel(parcels)
    return parcel
  }

  #isLate({ key, node, kind }: Parcel): boolean {
    const { lateNode } = this.#options
    return lateNode === node && key === GROUP && kind === 'request'
  }

  #anyParcel(parcels: readonly Parcel[]): Parcel {
    if (this.#options.order === 'any') return this.#chance.of(parcels)
    if (this.#options.order === 'newest') {
      // The other parcels wait; now and then one of them is drawn.
      const window = this.#chance.happens(0.1) ? parcels.length : Math.min(6, parcels.length)
      return parcels[parcels.length - 1 - this.#chance.below(window)]!
    }
    // Each parcel keeps its rank, so some parcels wait while much else happens.
    let best = parcels[0]!
    for (const parcel of parcels) if (rankOf(parcel.id) > rankOf(best.id)) best = parcel
    return best
  }
}

/** Scatters ids over 32 bits. */
function rankOf(id: number): number {
  return Math.imul(id ^ (id >>> 15), 0x2c1b3c6d) >>> 0
}
