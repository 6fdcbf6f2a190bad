/**
 * The alarm for what must never happen: two nodes hold different states that both are marked chosen at one
 * ballot. The cause is a bad disk, a bug, or a manual change of a database: the protocol itself cannot cause
 * it. Nor can the protocol repair it, because no rule says which state is wrong. A person must decide. Until
 * then neither state may be overwritten.
 */
import type { Logger } from 'pino'
import { type Ballot, compareBallots, formatBallot } from '../register/ballot.ts'
import type { KeyRecord } from '../register/messages.ts'
import { formatState, type State, sameWriteId, type Value } from '../register/state.ts'

/** What one node holds for a key. */
export type Replica = Readonly<{ nodeId: string; record: KeyRecord }>

/** Two nodes that differ about one key. */
export type Divergence = Readonly<{ key: string; ballot: Ballot; replicas: readonly [Replica, Replica] }>

/**
 * How many pairs are remembered. If there are more, a whole disk is bad, and the operator knows it by then.
 */
const DIVERGENCES_MAX = 1_000

/** All pairs of replicas of a key that diverge. `replicas` are of different nodes. */
export function findDivergences(key: string, replicas: readonly Replica[]): Divergence[] {
  return replicas.flatMap((one, index) =>
    replicas.slice(index + 1).flatMap((other) => {
      if (!diverge(one.record, other.record)) return []
      return [{ key, ballot: one.record.accepted!, replicas: [one, other] as const }]
    }),
  )
}

/**
 * Whether two records of a key diverge: both are marked chosen at one ballot, and their states differ.
 */
export function diverge(one: KeyRecord, other: KeyRecord): boolean {
  if (!one.chosen || !other.chosen || one.accepted === undefined || other.accepted === undefined) return false
  return compareBallots(one.accepted, other.accepted) === 0 && !isSameState(one.state, other.state)
}

/**
 * The divergences that this connector has seen and not seen repaired. Their number is bounded; each is logged
 * once.
 */
export class Divergences {
  readonly #logger: Logger
  readonly #max: number
  readonly #open = new Map<string, Divergence>()
  #total = 0
  #hasOverflown = false

  constructor(logger: Logger, max: number = DIVERGENCES_MAX) {
    this.#logger = logger
    this.#max = max
  }

  /** How many were found since the start, including repaired ones. */
  get total(): number {
    return this.#total
  }

  /** The divergences that still exist, as far as this connector knows, oldest first. */
  get open(): readonly Divergence[] {
    return [...this.#open.values()]
  }

  /**
   * Compares what nodes hold for a key. It raises the alarm for each new pair that diverges, and ends the
   * alarm for pairs that no longer diverge. Returns the divergences; a key that has one must not be repaired.
   */
  observe(key: string, replicas: readonly Replica[]): readonly Divergence[] {
    const found = findDivergences(key, replicas)
    if (found.length === 0 && this.#open.size === 0) return found
    const names = new Set(found.map(nameOf))
    const seen = new Set(replicas.map(({ nodeId }) => nodeId))
    for (const [name, divergence] of this.#open) {
      const isMended =
        divergence.key === key &&
        !names.has(name) &&
        divergence.replicas.every(({ nodeId }) => seen.has(nodeId))
      if (isMended) this.#mended(name, divergence)
    }
    for (const divergence of found) this.#add(divergence)
    return found
  }

  #add(divergence: Divergence): void {
    const name = nameOf(divergence)
    if (this.#open.has(name) || this.#isFull()) return
    this.#open.set(name, divergence)
    this.#total += 1
    const { key, ballot, replicas } = divergence
    const [one, other] = replicas.map(({ nodeId, record }) => ({
      node: nodeId,
      state: formatState(record.state),
    }))
    this.#logger.error(
      { key, ballot: formatBallot(ballot), one, other },
      'divergence: two nodes hold different states that both are marked chosen at one ballot. Neither is overwritten. ' +
        'Find out which one is right (GET /v1/group/{groupId}/replicas), and replace the other node',
    )
  }

  #mended(name: string, { key, replicas }: Divergence): void {
    this.#open.delete(name)
    this.#logger.warn({ key, nodes: replicas.map(({ nodeId }) => nodeId) }, 'a divergence has ended')
  }

  #isFull(): boolean {
    if (this.#open.size < this.#max) return false
    if (!this.#hasOverflown) {
      this.#hasOverflown = true
      this.#logger.error(
        { divergences: this.#open.size },
        'there are too many divergences: from now on new ones are neither logged nor counted',
      )
    }
    return true
  }
}

function nameOf({ key, replicas: [one, other] }: Divergence): string {
  return JSON.stringify([key, ...[one.nodeId, other.nodeId].sort()])
}

/** Compares the whole state: a bad disk or a manual change does not change the writeId. */
function isSameState(a: State, b: State): boolean {
  return a.generation === b.generation && isSameLineage(a, b) && isSameValue(a.value, b.value)
}

function isSameLineage({ lineage: a }: State, { lineage: b }: State): boolean {
  return a.length === b.length && a.every((writeId, index) => sameWriteId(writeId, b[index]!))
}

function isSameValue(a: Value, b: Value): boolean {
  if (a === undefined || b === undefined) return a === b
  return Buffer.compare(a, b) === 0
}
