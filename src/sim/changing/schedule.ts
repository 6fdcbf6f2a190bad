/** Draws a changing world and what happens in it from a seed, as `small/schedule.ts` does. */
import { planAdd, planRemove, planReplace } from '../../membership/plan-change.ts'
import { isJoint, joiningOf } from '../../rpc/membership.ts'
import { Chance } from '../chance.ts'
import { Violation } from '../checkers/violation.ts'
import type { Protocol } from '../protocol.ts'
import type { Command } from '../small/command.ts'
import { ChangingWorld, type Connector, type Parcel } from './world.ts'

export type ChangingRun = Readonly<{
  messageCount: number
  /** Epochs that were chosen beyond the first. */
  changeCount: number
  failure: Error | undefined
  /** The conversation, where it was asked for. */
  lines: readonly string[]
}>

/** Node ids are bits of one number. */
const NODES_MAX = 20
/** Everything ends within this many steps of a healed network. */
const HEALED_STEPS_MAX = 20_000

const KINDS = [
  'deliver',
  'lose',
  'submit',
  'crash',
  'restart',
  'suspect',
  'expire',
  'replace',
  'change',
  'look',
  'watch',
  'discover',
  'lose disk',
] as const

/** Runs the world of a seed to its end, or to the first violation. */
export function runChanging(seed: number, protocol: Protocol, isTold = false): ChangingRun {
  return new Schedule(seed, protocol, isTold).run()
}

class Schedule {
  readonly #chance: Chance
  readonly #world: ChangingWorld
  readonly #weights: readonly number[]
  readonly #weightSum: number
  readonly #stepCount: number
  readonly #operationsMax: number
  readonly #isNewestFirst: boolean
  /** A connector whose messages mostly wait for those of the others; `undefined`: none. */
  readonly #slow: number | undefined
  /** Clients come only when a first change has begun: until then nobody has written the key. */
  readonly #isEmptyAtFirst: boolean
  #operation = 0

  constructor(seed: number, protocol: Protocol, isTold: boolean) {
    const chance = new Chance(seed)
    this.#chance = chance
    this.#world = new ChangingWorld(chance.of([3, 3, 4, 5]), chance.between(2, 3), protocol, isTold)
    this.#operationsMax = chance.between(6, 16)
    this.#stepCount = this.#operationsMax * chance.between(15, 60)
    this.#isNewestFirst = chance.happens(0.3)
    this.#isEmptyAtFirst = chance.happens(0.3)
    this.#slow = chance.happens(0.4) ? 0 : undefined
    const rare = () => chance.of([0, 0.01, 0.03])
    const weights: Record<(typeof KINDS)[number], number> = {
      deliver: 1,
      lose: chance.of([0, 0.02, 0.1, 0.3]),
      submit: (1.5 * this.#operationsMax) / this.#stepCount,
      crash: rare(),
      restart: chance.of([0.02, 0.1]),
      suspect: rare(),
      expire: rare(),
      replace: rare(),
      change: chance.of([0.01, 0.03, 0.1]),
      look: chance.of([0.05, 0.2, 0.5]),
      watch: rare(),
      discover: rare(),
      'lose disk': rare(),
    }
    this.#weights = KINDS.map((kind) => weights[kind])
    this.#weightSum = this.#weights.reduce((sum, weight) => sum + weight, 0)
  }

  run(): ChangingRun {
    let failure: Error | undefined
    const world = this.#world
    try {
      for (let step = 0; step < this.#stepCount; step += 1) this.#do(this.#drawKind())
      this.#end()
      world.finish(this.#operation)
    } catch (error) {
      failure = error as Error
    }
    const { messageCount, changeCount, lines = [] } = world
    return { messageCount, changeCount, failure, lines }
  }

  #drawKind(): (typeof KINDS)[number] {
    let ticket = this.#chance.uniform() * this.#weightSum
    for (const [index, kind] of KINDS.entries()) {
      ticket -= this.#weights[index]!
      if (ticket < 0) return kind
    }
    return 'deliver'
  }

  #do(kind: (typeof KINDS)[number]): void {
    const chance = this.#chance
    const world = this.#world
    const connector = chance.of(world.connectors)
    const node = chance.of(world.nodes)
    switch (kind) {
      case 'deliver':
      case 'lose': {
        const parcel = this.#takeParcel()
        if (parcel !== undefined) world[kind](parcel)
        break
      }
      case 'submit':
        if (this.#isEmptyAtFirst && world.changeCount === 0) break
        if (this.#operation < this.#operationsMax) this.#submit(connector)
        break
      case 'crash':
      case 'restart':
        node.isUp = kind === 'restart'
        break
      case 'suspect':
        world.suspect(connector, chance.below(connector.life.nodes.length), chance.happens(0.5))
        break
      case 'expire':
      case 'replace':
      case 'watch':
        world[kind](connector)
        break
      case 'change':
        if (world.nodes.length < NODES_MAX) this.#change(connector)
        break
      case 'look':
        world.look(connector, chance.below(connector.life.nodes.length))
        break
      case 'discover':
        world.discover(connector, node)
        break
      case 'lose disk':
        world.loseDisk(node)
        break
      default:
        kind satisfies never
    }
    world.runLater()
  }

  #submit(connector: Connector): void {
    const kind = this.#chance.of([
      'create',
      'create',
      'update',
      'update',
      'delete',
      'read',
      'settle',
    ] as const)
    const isPlain = kind === 'create' || kind === 'read' || kind === 'settle'
    const command: Command = isPlain ? { kind } : { kind, version: undefined }
    this.#world.submit(connector, this.#operation, command)
    this.#operation += 1
  }

  #change(connector: Connector): void {
    const chance = this.#chance
    const kind = chance.of(['add', 'remove', 'replace', 'replace'] as const)
    this.#world.change(connector, (current, newcomer) => {
      // While a change is under way, only who is joining can be removed or replaced.
      const candidates = isJoint(current) ? joiningOf(current) : current.members
      const nodeId = candidates.length === 0 ? '' : chance.of(candidates).nodeId
      if (kind === 'add') return planAdd(current, newcomer)
      return kind === 'remove' ? planRemove(current, nodeId) : planReplace(current, nodeId, newcomer)
    })
  }

  #takeParcel(): Parcel | undefined {
    const { parcels, connectors } = this.#world
    if (parcels.length === 0) return undefined
    const slow = this.#slow === undefined ? undefined : connectors[this.#slow]
    let index = this.#drawIndex(parcels.length)
    for (let i = 0; i < 5 && parcels[index]!.connector === slow; i += 1)
      index = this.#drawIndex(parcels.length)
    const parcel = parcels[index]!
    parcels[index] = parcels[parcels.length - 1]!
    parcels.pop()
    return parcel
  }

  #drawIndex(length: number): number {
    const window = this.#isNewestFirst && !this.#chance.happens(0.1) ? Math.min(8, length) : length
    return length - 1 - this.#chance.below(window)
  }

  // Second phase: the network is healed ---------------------------------------------------------------------

  /**
   * All hear of the newest epoch, the change is carried out, every operation ends, and a newcomer reads what
   * there is.
   */
  #end(): void {
    const world = this.#world
    world.heal()
    this.#settle()
    const reader = world.addConnector(world.newest)
    world.submit(reader, this.#operation, { kind: 'read' })
    this.#operation += 1
    this.#settle()
  }

  #settle(): void {
    const world = this.#world
    for (let step = 0; step < HEALED_STEPS_MAX; step += 1) {
      const epochs = world.connectors.map(({ life }) => life.membership.epoch)
      const isDone =
        world.pendingCount === 0 &&
        !isJoint(world.newest) &&
        epochs.every((epoch) => epoch === world.newest.epoch)
      if (isDone) return
      if (step % 500 === 0) this.#exchangeLost()
      if (step % 50 === 0) {
        // By the addresses, and by looking at the register.
        for (const connector of world.connectors) {
          for (const node of world.nodes) world.discover(connector, node)
          // Not so often that timers, which wait for messages, never run out.
          if (step % 500 === 0) world.watch(connector)
        }
      }
      const connector = world.connectors[0]!
      if (step % 10 === 0) world.look(connector, this.#chance.below(connector.life.nodes.length))
      const parcel = this.#takeHealed()
      if (parcel !== undefined) world.deliver(parcel)
      world.runLater()
    }
    throw new Violation(
      'operations and changes end',
      `${world.pendingCount} operations are pending in epoch ${world.newest.epoch} although the network is healed`,
    )
  }

  /** A node whose disk is lost while it joins never says that it has anything. */
  #exchangeLost(): void {
    const world = this.#world
    const lost = joiningOf(world.newest).find(({ nodeId }) => world.isGone(nodeId))
    if (lost === undefined) return
    world.change(world.connectors[0]!, (current, newcomer) => planReplace(current, lost.nodeId, newcomer))
  }

  /** Any message, or, when there is none, a timer: backing off takes longer than a message. */
  #takeHealed(): Parcel | undefined {
    const { parcels } = this.#world
    const messages = parcels.filter(({ kind }) => kind !== 'timer')
    if (messages.length === 0) return this.#takeParcel()
    const parcel = this.#chance.of(messages)
    parcels.splice(parcels.indexOf(parcel), 1)
    return parcel
  }
}
