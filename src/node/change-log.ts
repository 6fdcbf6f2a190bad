/**
 * What a node has changed lately, in memory: connectors follow it to learn which keys to read (protocol.md
 * §10). It also knows the keys with an *open vote*: a state that this node has accepted, and of which it does
 * not know whether the state was chosen. Such a state may be chosen later without another change of this
 * node.
 */
import { randomBytes } from 'node:crypto'
import { compareBallots } from '../register/ballot.ts'
import type { KeyRecord } from '../register/messages.ts'
import { sameWriteId, type WriteId } from '../register/state.ts'

/** How many changes a node remembers by default. */
export const CHANGES_KEPT = 65_536

/** How many open votes a node remembers. Chosen marks follow within milliseconds, so there are few. */
const OPEN_VOTES_MAX = 65_536

/** An open vote is remembered for at least this long: longer than `votesEndMs`. */
const OPEN_VOTES_MS = 15_000

/** A part of the changes, in their order: no key twice. `position` is the number of the last one. */
export type ChangesPart = Readonly<{ keys: readonly string[]; position: number }>

export type ChangeLogOptions = Readonly<{
  /** A name for this start of the node, which no other start of any node has. By default it is drawn. */
  life?: string
  /** Milliseconds since some moment; never goes back. By default the time of the process. */
  nowMs?: () => number
  /** How many changes are remembered. */
  capacity?: number
  /** Whether the node holds no record when it starts, and so no vote. */
  isNew: boolean
}>

export class ChangeLog {
  readonly life: string
  readonly #nowMs: () => number
  readonly #ring: string[] = []
  readonly #capacity: number
  /** The number of changes so far. Change n is at `n % capacity` of the ring, and the first one is 1. */
  #position = 0
  /** The open votes of two periods, each with the write for which this node has voted. */
  #open = new Map<string, WriteId>()
  #openBefore = new Map<string, WriteId>()
  #periodStartMs: number
  /** From this moment on, all open votes are known. `undefined`: they always were. */
  #unknownUntilMs: number | undefined
  #waiters = new Set<() => void>()
  /** The position when the waiters were last told. */
  #toldPosition = 0

  constructor({ life, nowMs = () => performance.now(), capacity = CHANGES_KEPT, isNew }: ChangeLogOptions) {
    this.life = life ?? randomBytes(8).toString('hex')
    this.#nowMs = nowMs
    this.#capacity = capacity
    this.#periodStartMs = nowMs()
    this.#unknownUntilMs = isNew ? undefined : this.#periodStartMs
  }

  /** The number of the last change; 0 before the first one. */
  get position(): number {
    return this.#position
  }

  /** A record was replaced, in the transaction of this turn. */
  saved(key: string, before: KeyRecord, { accepted, state, chosen }: KeyRecord): void {
    if (accepted === undefined) return
    if (chosen) this.#close(key)
    const isSameBallot = before.accepted !== undefined && compareBallots(before.accepted, accepted) === 0
    if (isSameBallot && sameWriteId(before.state.writeId, state.writeId)) return
    this.#position += 1
    this.#ring[this.#position % this.#capacity] = key
    if (!chosen) this.#open.set(key, state.writeId)
  }

  /** The write is known to be chosen. */
  marked(key: string, writeId: WriteId): void {
    const open = this.#open.get(key) ?? this.#openBefore.get(key)
    if (open !== undefined && sameWriteId(open, writeId)) this.#close(key)
  }

  /** The transaction of a turn is committed. It tells those who wait for a change, and forgets old votes. */
  committed(): void {
    const nowMs = this.#nowMs()
    if (this.#open.size >= OPEN_VOTES_MAX) this.#unknownUntilMs = nowMs
    if (this.#open.size >= OPEN_VOTES_MAX || nowMs - this.#periodStartMs >= OPEN_VOTES_MS) {
      this.#openBefore = this.#open
      this.#open = new Map()
      this.#periodStartMs = nowMs
    }
    this.#wake()
  }

  /**
   * The changes after a position of this life, at most `limit` of them. `undefined`: it is not known what was
   * changed since then.
   */
  since(life: string, after: number, limit: number): ChangesPart | undefined {
    if (life !== this.life || after > this.#position || this.#position - after > this.#capacity)
      return undefined
    const position = Math.min(this.#position, after + limit)
    const keys = new Set<string>()
    for (let number = after + 1; number <= position; number += 1)
      keys.add(this.#ring[number % this.#capacity]!)
    return { keys: [...keys], position }
  }

  /**
   * The keys with an open vote, and the position from which to go on. `undefined`: not all of them are known,
   * because the node has started, or has had too many, less than `votesEndMs` ago.
   */
  begin(votesEndMs: number): ChangesPart | undefined {
    if (this.#unknownUntilMs !== undefined && this.#nowMs() - this.#unknownUntilMs < votesEndMs)
      return undefined
    const keys = new Set([...this.#openBefore.keys(), ...this.#open.keys()])
    return { keys: [...keys], position: this.#position }
  }

  /** Calls `fn` once, after the next turn that changes something. The returned function takes that back. */
  onNews(fn: () => void): () => void {
    this.#waiters.add(fn)
    return () => this.#waiters.delete(fn)
  }

  #close(key: string): void {
    this.#open.delete(key)
    this.#openBefore.delete(key)
  }

  #wake(): void {
    if (this.#waiters.size === 0 || this.#position === this.#toldPosition) return
    this.#toldPosition = this.#position
    const waiters = this.#waiters
    this.#waiters = new Set()
    for (const tell of waiters) tell()
  }
}
