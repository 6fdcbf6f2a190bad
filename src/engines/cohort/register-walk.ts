import type { Cluster } from '../../membership/cluster.ts'
import { type Clock, sleep } from '../../process/clock.ts'
import { wholeRecords } from '../../register/damage.ts'
import { type Outcome, UnreadableValueError } from '../../register/operation.ts'
import type { NodeSet } from '../../register/quorum.ts'
import type { Value } from '../../register/state.ts'
import { compareKeys } from '../../rpc/key-order.ts'
import type { MergedEntry } from '../../scan/merge-scans.ts'
import { nextRecords, type RecordPage } from '../../scan/record-scan.ts'

/** What is needed of the cluster: the client and the nodes, which exist when the cluster is found. */
export type ReachedCluster = Pick<Cluster, 'client' | 'nodes'>

export type RegisterWalkOptions = Readonly<{
  clock: Pick<Clock, 'nowMs' | 'after'>
  operationTimeoutMs: number
}>

/** The registers of a page, and what to find in them. */
export type WalkedRange<T> = Readonly<{
  /** The keys: from `start` on, before `end`. If `start` is not before `end`, there are none. */
  start: string
  end: string
  /** How many values the page has at most. */
  limit: number
  /**
   * What a value is. `undefined`: nothing.
   *
   * @throws {UnreadableValueError} for a value that is not what these registers store
   */
  decode: (value: Value, key: string) => T | undefined
  /** Whether the page has this value. By default it has every one. */
  isWanted?: ((value: T) => boolean) | undefined
  /** Ends the walk early, as if too few nodes had answered. */
  signal?: AbortSignal | undefined
}>

/** Values in the order of their keys. */
export type WalkedPage<T> = Readonly<{
  values: readonly T[]
  /** The keys of registers whose values cannot be read. */
  unreadable: readonly string[]
  /** The last key of the page, after which the next page begins. `undefined`: this was the last page. */
  after: string | undefined
}>

/**
 * How many records to ask a node for at least. Some of them can be of values that were deleted or are not
 * wanted. If there were many of those, the next request is twice as large, up to the second number.
 */
const RECORDS_MIN = 64
const RECORDS_MAX = 1_024

/** A page ends when its values have so many bytes. One page would otherwise hold 1,000 groups of 70 KB. */
const PAGE_BYTES = 4 * 1024 * 1024

/** The pause between two attempts to scan records. */
const RETRY_MS = 50

/** Walks over the registers of a range, page by page. */
export class RegisterWalk {
  readonly #cluster: ReachedCluster
  readonly #options: RegisterWalkOptions
  /** The number of scans so far. By it, each scan begins at the next node. */
  #turn = 0

  constructor(cluster: ReachedCluster, options: RegisterWalkOptions) {
    this.#cluster = cluster
    this.#options = options
  }

  /**
   * A page of a range. Each value is as a read at some moment of the call would have returned it. The page
   * can be short, or empty: only if the returned `after` is `undefined`, it was the last page. It takes at
   * most two operation timeouts.
   */
  async page<T>(range: WalkedRange<T>): Promise<Outcome<WalkedPage<T>>> {
    const { clock, operationTimeoutMs: timeoutMs } = this.#options
    const untilMs = clock.nowMs() + timeoutMs
    const found = new FoundValues(range)
    const { end, signal } = range
    let { start } = range
    let bytes = 0
    for (let most = RECORDS_MIN; ; most = Math.min(2 * most, RECORDS_MAX)) {
      if (compareKeys(start, end) >= 0) return found.page(undefined)
      const page = await this.#nextRecords({ start, end, limit: Math.max(found.room, most), signal }, untilMs)
      if (page === undefined) return { kind: 'not_applied' }
      const failure = await this.#readInto(found, page.entries)
      if (failure !== undefined) return failure
      if (found.room === 0) return found.page(found.lastKey)
      if (page.nextStart === undefined) return found.page(undefined)
      bytes += page.valueBytes
      // The values are large, or many in a row were deleted or are not wanted.
      if (bytes >= PAGE_BYTES || clock.nowMs() >= untilMs) return found.page(page.entries.at(-1)!.key)
      start = page.nextStart
    }
  }

  /** If the epoch ends during the scan, the scan is repeated in the next epoch. */
  async #nextRecords(
    range: Readonly<{ start: string; end: string; limit: number; signal: AbortSignal | undefined }>,
    untilMs: number,
  ): Promise<RecordPage | undefined> {
    const { clock, operationTimeoutMs: timeoutMs } = this.#options
    for (;;) {
      const { client, nodes } = this.#cluster
      if (client === undefined) return undefined
      this.#turn += 1
      const page = await nextRecords({
        sources: nodes.map(({ transport, recipient, link }) => ({
          transport,
          recipient,
          isSuspect: link.isSuspect,
        })),
        ...range,
        isQuorum: (answered: NodeSet) => client.isQuorum(answered),
        clock,
        timeoutMs,
        turn: this.#turn,
      })
      if (page !== undefined || clock.nowMs() >= untilMs || range.signal?.aborted) return page
      await sleep(RETRY_MS, clock, range.signal)
    }
  }

  /**
   * Adds the values of these keys, in their order, until the page is full. If the records of a quorum show
   * which state is chosen, that state has the value. Otherwise the key is read. At a time, no more keys are
   * read than values are still missing.
   *
   * @returns why a key could not be read
   */
  async #readInto<T>(
    found: FoundValues<T>,
    entries: readonly MergedEntry[],
  ): Promise<Exclude<Outcome<never>, { kind: 'decided' }> | undefined> {
    const { client } = this.#cluster
    let next = 0
    while (next < entries.length && found.room > 0) {
      const wanted = entries.slice(next, next + found.room)
      const readings = wanted.map(({ key, records }): Reading<T> | Promise<Reading<T>> => {
        const chosen = client?.judge(wholeRecords(records))?.chosen
        if (chosen === undefined) return this.#readKey(key, found)
        try {
          return { kind: 'decided', result: found.decode(chosen.state.value, key) }
        } catch (error) {
          // The read returns this error as an outcome, and reports it.
          if (error instanceof UnreadableValueError) return this.#readKey(key, found)
          throw error
        }
      })
      for (const [index, reading] of readings.entries()) {
        const { key } = wanted[index]!
        const read = reading instanceof Promise ? await reading : reading
        if (read.kind === 'decided') found.add(key, read.result)
        else if (read.fault === 'unreadable') found.addUnreadable(key)
        else return read
      }
      next += wanted.length
    }
    return undefined
  }

  async #readKey<T>(key: string, { decode }: FoundValues<T>): Promise<Reading<T>> {
    const { client } = this.#cluster
    return client === undefined ? { kind: 'not_applied' } : client.read(key, (value) => decode(value, key))
  }
}

type Reading<T> = Outcome<T | undefined>

/** What a page has found so far. */
class FoundValues<T> {
  readonly #range: WalkedRange<T>
  readonly #values: T[] = []
  readonly #unreadable: string[] = []
  lastKey: string | undefined

  constructor(range: WalkedRange<T>) {
    this.#range = range
  }

  get decode(): WalkedRange<T>['decode'] {
    return this.#range.decode
  }

  /** How many more the page holds. */
  get room(): number {
    return this.#range.limit - this.#values.length - this.#unreadable.length
  }

  /** `undefined`: there is no such value. */
  add(key: string, value: T | undefined): void {
    if (value === undefined || this.#range.isWanted?.(value) === false) return
    this.#values.push(value)
    this.lastKey = key
  }

  addUnreadable(key: string): void {
    this.#unreadable.push(key)
    this.lastKey = key
  }

  page(after: string | undefined): Outcome<WalkedPage<T>> {
    return { kind: 'decided', result: { values: this.#values, unreadable: this.#unreadable, after } }
  }
}
