import { TOMBSTONE_GRACE_MS, votesEndMs } from '../register/grace-time.ts'
import type { Damage } from '../register/messages.ts'
import { isMeantFor } from '../rpc/adoption.ts'
import { compareKeys } from '../rpc/key-order.ts'
import { MEMBERSHIP_KEY } from '../rpc/membership.ts'
import type {
  ChangesAnswer,
  ChangesRequest,
  Description,
  DigestAnswer,
  DigestRequest,
  HeldEntry,
  ScanRange,
} from '../rpc/messages.ts'
import type { ChangeLog } from './change-log.ts'
import type { Damages } from './damages.ts'
import { DamagedRecordError } from './store/damaged-record.ts'
import type { RecordStore } from './store/record-store.ts'

/** A part of a scan: see `ScanSlice`. */
export type HeldSlice = Readonly<{ entries: readonly HeldEntry[]; nextStart: string | undefined }>

/** How many changes an answer stands for at most. */
const CHANGES_PER_ANSWER = 4_096

const NO_CHANGES = { keys: [], begins: true, isTooEarly: false, hasMore: false, mismatch: undefined } as const

export type QuestionsOptions = Readonly<{
  store: RecordStore
  damages: Damages
  changes: ChangeLog
  /** The version of the program. */
  version: string
}>

/** What a node answers to questions about itself and its records. They change nothing. */
export class Questions {
  readonly #store: RecordStore
  readonly #damages: Damages
  readonly #changes: ChangeLog
  readonly #version: string

  constructor({ store, damages, changes, version }: QuestionsOptions) {
    this.#store = store
    this.#damages = damages
    this.#changes = changes
    this.#version = version
  }

  describe(): Description {
    const { nodeId, membership, inventory } = this.#store
    const { count: damagedCount, healedCount } = this.#damages
    const counts = { ...inventory.counts, damagedCount, healedCount }
    const described = { nodeId, membership, version: this.#version, ...counts }
    const vote = this.#membershipVote()
    return vote === undefined ? described : { ...described, membershipVote: vote }
  }

  /** What the node has accepted in the register of the membership; nothing if that record is damaged. */
  #membershipVote(): Uint8Array | undefined {
    try {
      const { accepted, state } = this.#store.load(MEMBERSHIP_KEY)
      return accepted === undefined ? undefined : state.value
    } catch (error) {
      if (error instanceof DamagedRecordError) return undefined
      throw error
    }
  }

  /**
   * As `RecordStore.scan`, with the damaged records in their places. `not_meant`: the scan is for another
   * node or another epoch.
   */
  scan(range: ScanRange, limit: number): HeldSlice | 'not_meant' {
    if (range.recipient !== undefined && !isMeantFor(this.#store, range.recipient)) return 'not_meant'
    if (range.damagedOnly) return this.#scanDamaged(range, limit)
    const { entries, damaged, nextStart } = this.#store.scan(range, limit)
    if (damaged.length === 0) return { entries, nextStart }
    const held: HeldEntry[] = [
      ...entries,
      ...damaged.map((key) => ({ key, record: this.#damageOf(key, 'a scan has found it') })),
    ]
    return { entries: held.sort((a, b) => compareKeys(a.key, b.key)), nextStart }
  }

  #scanDamaged({ start, end }: ScanRange, limit: number): HeldSlice {
    const keys = [...this.#damages.keys]
      .filter((key) => compareKeys(key, start) >= 0 && (end === '' || compareKeys(key, end) < 0))
      .sort(compareKeys)
    const entries = keys.slice(0, limit).map((key) => ({ key, record: this.#damageOf(key, '') }))
    // The first key after the last one: no key contains a NUL.
    return { entries, nextStart: keys.length > limit ? `${keys[limit - 1]}\0` : undefined }
  }

  #damageOf(key: string, reason: string): Damage {
    return this.#damages.note(key, this.#store.promiseBound, reason)
  }

  /** What was changed after the position of the request; no key: nothing yet. */
  changes(request: ChangesRequest): ChangesAnswer {
    const { nodeId, membership } = this.#store
    if (!isMeantFor(this.#store, request))
      return { ...NO_CHANGES, at: undefined, mismatch: { nodeId, membership } }
    const { life } = this.#changes
    const { from } = request
    const next = from && this.#changes.since(from.life, from.number, CHANGES_PER_ANSWER)
    if (next !== undefined)
      return {
        ...NO_CHANGES,
        at: { life, number: next.position },
        keys: next.keys,
        begins: false,
        hasMore: next.position < this.#changes.position,
      }
    const graceMs = membership?.tombstoneGraceMs ?? TOMBSTONE_GRACE_MS
    const first = this.#changes.begin(votesEndMs(graceMs))
    const number = first?.position ?? this.#changes.position
    return { ...NO_CHANGES, at: { life, number }, keys: first?.keys ?? [], isTooEarly: first === undefined }
  }

  /** `counting`: the node has started, and its digests are not complete yet. */
  digest(request: DigestRequest): DigestAnswer | 'counting' {
    const { nodeId, membership, inventory } = this.#store
    if (!inventory.isComplete) return 'counting'
    if (!isMeantFor(this.#store, request)) return { digests: [], mismatch: { nodeId, membership } }
    const { branches } = request
    const { digests } = inventory
    return {
      digests:
        branches.length === 0 ? digests.branches : branches.flatMap((branch) => digests.leavesOf(branch)),
      mismatch: undefined,
    }
  }
}
