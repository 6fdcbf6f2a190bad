/**
 * Removes the tombstones of deleted keys in the background (protocol.md §6). Every connector does this, and
 * the connectors need not know of each other: each relies only on what it has read from all members itself,
 * and a node acts only if it still holds the same.
 *
 * A walk over the records without a value of all members records what it finds, and since when. If a later
 * walk, after the grace time, finds the same, the key is read from all members once more, and then the next
 * step is taken.
 */
import type { Logger } from 'pino'
import { type Clock, sleep } from '../../process/clock.ts'
import { EMPTY_RECORD } from '../../register/acceptor.ts'
import { type Ballot, PLAUSIBLE_ROUND_MAX } from '../../register/ballot.ts'
import { isDamage } from '../../register/damage.ts'
import type { KeyRecord } from '../../register/messages.ts'
import { type Finding, findRemovable, isSameFinding, removalRequests } from '../../register/removal.ts'
import { askMember, readFromAll } from './ask-members.ts'
import { nextRemovable, type RemovableKey } from './removable-keys.ts'
import type { RemovalReport } from './removal-report.ts'
import type { RemovalMember, RemovalTarget } from './removal-target.ts'
import { type Fingerprint, fingerprintOf, WaitingKeys } from './waiting-keys.ts'

export type RemovalLimits = Readonly<{
  /** How many waiting keys are remembered. Further keys are recorded when there is room. */
  keysMax: number
  /** How many due keys are read again and handled at the same time. */
  keysAtOnce: number
  /** How many due keys are handled in a second. */
  keysPerSecond: number
  /** How many records each node sends at most for a page of keys. */
  pageRecordsMax: number
  /** How long a node may take for them, also from a slow disk. */
  pageTimeoutMs: number
  /** The pause between two walks is an eighth of the grace time, within these bounds. */
  pauseMsMin: number
  pauseMsMax: number
}>

export const REMOVAL_LIMITS: RemovalLimits = {
  keysMax: 1_000_000,
  keysAtOnce: 128,
  keysPerSecond: 5_000,
  pageRecordsMax: 1_024,
  pageTimeoutMs: 30_000,
  pauseMsMin: 100,
  pauseMsMax: 300_000,
}

export type RemovalOptions = Readonly<{
  /** The current cluster. `undefined` until it is found, and while its membership changes. */
  target: () => RemovalTarget | undefined
  /** The keys to handle: `start` inclusive, `end` exclusive. */
  range: Readonly<{ start: string; end: string }>
  /** The grace time of the current cluster. */
  graceMs: () => number
  clock: Clock
  /** Uniform in [0, 1). */
  random: () => number
  /**
   * Draws a proposer id that no process has or will have, for ballots that no other proposer uses.
   */
  drawProposerId: () => number
  limits: RemovalLimits
  logger: Pick<Logger, 'info' | 'debug'>
}>

/** A key whose grace time is over. */
type Due = Readonly<{ key: string; finding: Finding }>

export class Removal {
  readonly #options: RemovalOptions
  readonly #waiting: WaitingKeys
  readonly #counts = { stubbedCount: 0, removedCount: 0, settledCount: 0 }
  #client: RemovalTarget['client'] | undefined
  readonly #closing = new AbortController()
  /** Where the next walk begins. It is drawn at random, so that several connectors do not walk in step. */
  #start: string
  /** From how many keys of this walk `#start` was drawn. */
  #drawnFrom = 0

  constructor(options: RemovalOptions) {
    this.#options = options
    this.#waiting = new WaitingKeys(options.limits.keysMax)
    this.#start = options.range.start
  }

  get report(): RemovalReport {
    const { oldestMs, size } = this.#waiting
    const oldestWaitingMs = oldestMs === undefined ? undefined : this.#options.clock.nowMs() - oldestMs
    return { ...this.#counts, waitingCount: size, oldestWaitingMs }
  }

  /** Walks until it is closed. */
  async run(): Promise<void> {
    const { random, limits } = this.#options
    while (!this.#isClosed) {
      const target = this.#reachableTarget()
      if (target !== undefined) await this.#walk(target)
      // Before the cluster is found, its grace time is not known.
      const restMs = target === undefined ? 0 : this.#options.graceMs() / 8
      const pauseMs = Math.min(limits.pauseMsMax, Math.max(limits.pauseMsMin, restMs))
      await this.#pause(pauseMs * (0.5 + random()))
    }
  }

  close(): void {
    this.#closing.abort()
  }

  /** All members, if all are reachable: nothing is removed without an answer of every member. */
  #reachableTarget(): RemovalTarget | undefined {
    const target = this.#options.target()
    if (target?.client !== this.#client) this.#waiting.forgetAll()
    this.#client = target?.client
    return target?.members.every(({ link }) => link.isReachable) ? target : undefined
  }

  async #walk(target: RemovalTarget): Promise<void> {
    const { range, logger } = this.#options
    const before = { ...this.#counts }
    const start = this.#start
    this.#drawnFrom = 0
    try {
      const isWhole =
        (await this.#walkRange(target, { start, end: range.end })) &&
        (await this.#walkRange(target, { start: range.start, end: start }))
      if (isWhole) this.#waiting.endWalk()
      else this.#waiting.abortWalk()
    } catch (err) {
      this.#waiting.abortWalk()
      logger.debug({ err }, 'a walk over what may be removed was interrupted')
    }
    const { stubbedCount, removedCount, settledCount } = this.#counts
    const done = {
      stubbed: stubbedCount - before.stubbedCount,
      removed: removedCount - before.removedCount,
      settled: settledCount - before.settledCount,
    }
    if (done.stubbed + done.removed + done.settled > 0)
      logger.info({ ...done, waiting: this.#waiting.size }, 'removed what is left of deleted groups')
  }

  /** @returns whether the walk came to the end of the range */
  async #walkRange(target: RemovalTarget, range: Readonly<{ start: string; end: string }>): Promise<boolean> {
    const { clock, limits } = this.#options
    let start: string | undefined = range.start
    while (start !== undefined && start !== range.end) {
      const startMs = clock.nowMs()
      const page = await nextRemovable(target.members, { ...range, start }, clock, limits)
      const due: Due[] = []
      for (const removable of page.keys) {
        const finding = await this.#note(target, removable, startMs)
        if (finding !== undefined) due.push({ key: removable.key, finding })
      }
      await this.#actOnAll(target, due)
      this.#drawStart(page.keys)
      start = page.nextStart
      const tookMs = clock.nowMs() - startMs
      // The pause is as long as the work was, so that clients have the nodes for half of the time.
      if (start !== undefined)
        await this.#pause(Math.max(1, tookMs, (1_000 * due.length) / limits.keysPerSecond - tookMs))
      if (this.#isClosed || this.#reachableTarget()?.client !== target.client) return false
    }
    return true
  }

  /**
   * Records what was found for a key. Returns the finding if its grace time was over at `askedAtMs`, when the
   * walk asked for the key.
   */
  async #note(
    target: RemovalTarget,
    { key, records }: RemovableKey,
    askedAtMs: number,
  ): Promise<Finding | undefined> {
    const { clock, graceMs } = this.#options
    const finding = findRemovable(records.map((record) => record ?? EMPTY_RECORD))
    if (finding.kind === 'other' || finding.kind === 'nothing') return undefined
    const fingerprint = fingerprintOf(key, finding)
    const isFirst = !this.#waiting.has(fingerprint)
    // A member that did not list the key may hold a group. The grace time begins only when it is known that
    // the member holds none.
    if (isFirst && records.includes(undefined) && !(await this.#isConfirmed(target, key, fingerprint)))
      return undefined
    const sinceMs = this.#waiting.see(fingerprint, clock.nowMs())
    if (finding.kind === 'old stubs') return finding
    return sinceMs !== undefined && askedAtMs - sinceMs >= graceMs() ? finding : undefined
  }

  async #isConfirmed(target: RemovalTarget, key: string, fingerprint: Fingerprint): Promise<boolean> {
    const records = await readFromAll(target.members, key)
    if (records === undefined) return false
    const { high, low } = fingerprintOf(key, findRemovable(records))
    return high === fingerprint.high && low === fingerprint.low
  }

  async #actOnAll(target: RemovalTarget, due: readonly Due[]): Promise<void> {
    const { keysAtOnce } = this.#options.limits
    for (let first = 0; first < due.length && !this.#isClosed; first += keysAtOnce) {
      const some = due.slice(first, first + keysAtOnce)
      await Promise.all(some.map(({ key, finding }) => this.#act(target, key, finding)))
    }
  }

  /** Reads a key from all members once more, and takes the next step if they hold what they held before. */
  async #act(target: RemovalTarget, key: string, finding: Finding): Promise<void> {
    const { clock, graceMs, drawProposerId } = this.#options
    const askedAtMs = clock.nowMs()
    const records = await readFromAll(target.members, key)
    if (records === undefined || !isSameFinding(findRemovable(records), finding)) return
    // If this process was stopped in between, the answers are too old to act on.
    if (clock.nowMs() - askedAtMs > graceMs() / 10 || this.#options.target()?.client !== target.client) return
    if (finding.kind === 'promises') {
      const outcome = await target.client.settle(key)
      if (outcome.kind === 'decided') this.#counts.settledCount += 1
      return
    }
    const highest = highestRoundNumber(records)
    // Such a promise was made by a fault, and must not spread to other nodes (protocol.md §4.7).
    if (highest > PLAUSIBLE_ROUND_MAX) return
    const ballot: Ballot = { round: highest + 1, proposerId: drawProposerId() }
    const isDone = await Promise.all(
      target.members.map((member, node) => this.#send(member, key, removalRequests(finding, node, ballot))),
    )
    if (!isDone.every(Boolean)) return
    if (finding.kind === 'tombstone') this.#counts.stubbedCount += 1
    if (finding.kind === 'stubs') this.#counts.removedCount += 1
  }

  /** @returns whether the member has answered ok to the last of the requests */
  async #send(
    member: RemovalMember,
    key: string,
    requests: ReturnType<typeof removalRequests>,
  ): Promise<boolean> {
    const answers = await Promise.all(requests.map((request) => askMember(member, key, request)))
    const last = answers.at(-1)
    return requests.length === 0 || (last !== undefined && !isDamage(last) && last.ok)
  }

  /**
   * Draws `#start` from the keys that this walk has seen so far, all with the same probability (reservoir
   * sampling of one key). It does not while the memory is full: a walk that begins elsewhere would record
   * other keys first, and the waiting keys would have to wait from the beginning again.
   */
  #drawStart(keys: readonly RemovableKey[]): void {
    if (this.#waiting.isFull) return
    this.#drawnFrom += keys.length
    const place = Math.floor(this.#options.random() * this.#drawnFrom)
    const chosen = keys[place]
    if (chosen !== undefined) this.#start = chosen.key
  }

  #pause(pauseMs: number): Promise<void> {
    return sleep(pauseMs, this.#options.clock, this.#closing.signal)
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted
  }
}

function highestRoundNumber(records: readonly KeyRecord[]): number {
  return records.reduce((highest, { promised }) => Math.max(highest, promised.round), 0)
}
