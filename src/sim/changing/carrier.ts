import { EMPTY_RECORD } from '../../register/acceptor.ts'
import { type Ballot, compareBallots } from '../../register/ballot.ts'
import { highestAccepted } from '../../register/known-chosen.ts'
import type { KeyRecord } from '../../register/messages.ts'
import { isClassicQuorum, type NodeSet } from '../../register/quorum.ts'
import { joiningOf } from '../../rpc/membership.ts'
import type { Protocol } from '../protocol.ts'
import type { Life } from './life.ts'

/** How far a key is: the joining nodes must say that they have it, at this ballot or above. */
type KeyState =
  | Readonly<{ kind: 'settling' }>
  | Readonly<{ kind: 'asking'; reference: Ballot | undefined; missing: Set<number> }>
  | Readonly<{ kind: 'done' }>

/** What a carrier wants next. */
export type Want = Readonly<{ kind: 'settle'; key: string }> | Readonly<{ kind: 'finish' }>

/**
 * The transfer of a joint epoch for a few keys, node by node as the world says: the rules are those of
 * `transfer.ts`.
 */
export class Carrier {
  readonly #life: Life
  readonly #rules: Protocol['membership']
  readonly #keys: readonly string[]
  readonly #joining: readonly number[]
  /** What nodes have listed so far, by key and node. */
  readonly #listed = new Map<string, (KeyRecord | undefined)[]>()
  readonly #states = new Map<string, KeyState>()
  #heard: NodeSet = 0
  #isFinishing = false

  constructor(life: Life, keys: readonly string[], rules: Protocol['membership']) {
    this.#life = life
    this.#keys = keys
    this.#rules = rules
    const joining = joiningOf(life.membership)
    this.#joining = life.nodes.flatMap(({ nodeId }, index) =>
      joining.some((member) => member.nodeId === nodeId) ? [index] : [],
    )
  }

  /** A node (by its index in the epoch) says what it holds. */
  hear(node: number, recordOf: (key: string) => KeyRecord): readonly Want[] {
    if (this.#states.size === 0) return this.#list(node, recordOf)
    const wants: Want[] = []
    for (const [key, state] of this.#states) {
      if (state.kind !== 'asking' || !state.missing.has(node)) continue
      const { accepted } = recordOf(key)
      const isTaken =
        accepted !== undefined &&
        (state.reference === undefined || compareBallots(accepted, state.reference) >= 0)
      if (!isTaken) wants.push(this.#settle(key))
      else {
        state.missing.delete(node)
        if (state.missing.size === 0) this.#states.set(key, { kind: 'done' })
      }
    }
    return [...wants, ...this.#finish()]
  }

  /** A round that it wanted is over. */
  settled(key: string, isDecided: boolean): readonly Want[] {
    if (!isDecided) return [this.#settle(key)]
    const reference = highestAccepted(this.#listed.get(key) ?? [])
    const missing = new Set(this.#joining)
    this.#states.set(key, missing.size === 0 ? { kind: 'done' } : { kind: 'asking', reference, missing })
    return this.#finish()
  }

  /** The next epoch was not chosen. */
  notFinished(): readonly Want[] {
    this.#isFinishing = false
    return this.#finish()
  }

  #list(node: number, recordOf: (key: string) => KeyRecord): readonly Want[] {
    this.#heard |= 1 << node
    for (const key of this.#keys) {
      const records = this.#listed.get(key) ?? []
      records[node] = recordOf(key)
      this.#listed.set(key, records)
    }
    const hasJoining = this.#joining.every((index) => ((this.#heard >> index) & 1) === 1)
    if (!hasJoining || !isClassicQuorum(this.#heard, this.#life.quorums)) return []
    const wants: Want[] = []
    const joining = this.#joining.reduce((set, index) => set | (1 << index), 0)
    for (const key of this.#keys) {
      const records = this.#listed.get(key)!
      const isKnown = records.some((record) => record !== undefined && record !== EMPTY_RECORD)
      if (!isKnown || this.#rules.isSealed(records, this.#life.quorums, joining))
        this.#states.set(key, { kind: 'done' })
      else wants.push(this.#settle(key))
    }
    return [...wants, ...this.#finish()]
  }

  #settle(key: string): Want {
    this.#states.set(key, { kind: 'settling' })
    return { kind: 'settle', key }
  }

  #finish(): readonly Want[] {
    const isDone = this.#states.size > 0 && [...this.#states.values()].every(({ kind }) => kind === 'done')
    if (!isDone || this.#isFinishing) return []
    this.#isFinishing = true
    return [{ kind: 'finish' }]
  }
}
