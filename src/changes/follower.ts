/**
 * What one connector knows of the changes of its nodes: which keys it must read, from which nodes, and from
 * where a client can go on (protocol.md §10). Pure: the driver makes the calls and the reads, and says what
 * came of them and when.
 *
 * Keys that were told within a short time make a *cut*. When all keys of a cut and of the cuts before it are
 * read, the positions at the end of the cut are the place from which a client can go on.
 */
import type { ChangesAnswer, ChangesPosition } from '../rpc/messages.ts'
import { Coverage, type FollowedEpoch, type Moment } from './coverage.ts'
import { nameInPlace, type Place } from './token.ts'

/** A call for the changes of a node. `from` is `undefined` when the node is asked where to begin. */
export type Call = Readonly<{
  nodeId: string
  epoch: number
  from: ChangesPosition | undefined
  madeAt: Moment
}>

/** A key to read, and the nodes whose answers must count in the read. */
export type DueRead = Readonly<{ key: string; nodeIds: readonly string[] }>

export type FollowerOptions = Readonly<{
  /** Which keys matter. */
  isWanted: (key: string) => boolean
  /** The nodes that a read must count, of those that told the key. All of them, but in broken versions. */
  mustCount: (nodeIds: readonly string[]) => readonly string[]
  /** How long keys are collected before they are read. */
  collectMs: number
  /** How long a node may keep a read from counting it. Then it is asked again where to begin. */
  patienceMs: number
  /** How long nothing may be covered, or a key not be read, before the past is given up. */
  silenceMsMax: number
}>

/** Keys that were told together, and the positions after them. */
type Cut = {
  readonly positions: Map<string, ChangesPosition>
  readonly epoch: number
  /** Everything that was chosen before is in this cut, or in one before it. */
  readonly reached: Moment | undefined
  unread: number
}

/** A key that must be read. */
type PendingKey = {
  readonly tellers: Set<string>
  readonly toldAtMs: number
  readonly cut: OpenCut
  /** The read that is under way. */
  reading: DueRead | undefined
}

/** The cut to which keys are added now; `closed` when no more are. */
type OpenCut = { unread: number; closed: Cut | undefined }

export class Follower {
  readonly #options: FollowerOptions
  readonly #coverage: Coverage
  #order = 0
  readonly #pending = new Map<string, PendingKey>()
  /** Keys that were told again while they were read. */
  readonly #again = new Map<string, PendingKey>()
  /** Keys of closed cuts that nobody reads yet. */
  #due = new Set<string>()
  #open: OpenCut = { unread: 0, closed: undefined }
  #openKeys = new Set<string>()
  #openedAtMs: number | undefined
  #cuts: Cut[] = []
  #place: Place | undefined
  #settled: Moment | undefined
  /** How many nodes the newest cut has. */
  #placeSize = 0
  #lossCount = 0
  /** How many checks in a row have found silence. */
  #silentChecks = 0

  constructor(epoch: FollowedEpoch, options: FollowerOptions) {
    this.#options = options
    this.#coverage = new Coverage(epoch)
  }

  get epoch(): FollowedEpoch {
    return this.#coverage.epoch
  }

  /** Whether every change from now on will be told. */
  get isCovered(): boolean {
    return this.#coverage.reached !== undefined
  }

  /** How often the past was given up. */
  get lossCount(): number {
    return this.#lossCount
  }

  /** Where a client goes on that has got everything that was given out so far. */
  get place(): Place | undefined {
    return this.#place
  }

  /** Everything that was chosen before this moment was given out. `undefined`: it is not known. */
  get settled(): Moment | undefined {
    const isIdle = this.#cuts.length === 0 && this.#open.unread === 0
    return isIdle ? this.#coverage.reached : this.#settled
  }

  /** How many keys wait for their reads. */
  get pendingCount(): number {
    return this.#pending.size + this.#again.size
  }

  /** How long ago the moment was up to which everything is known. `undefined`: nothing is covered. */
  lagMs(nowMs: number): number | undefined {
    const { reached } = this.#coverage
    return reached === undefined ? undefined : nowMs - reached.ms
  }

  now(nowMs: number): Moment {
    this.#order += 1
    return { order: this.#order, ms: nowMs }
  }

  /**
   * Goes on in another epoch.
   *
   * @returns whether the past goes on; if not, it was given up
   */
  enter(epoch: FollowedEpoch): boolean {
    const left = this.epoch.nodeIds.filter((nodeId) => !epoch.nodeIds.includes(nodeId))
    const goesOn = this.#coverage.enter(epoch)
    for (const nodeId of left) this.#forget(nodeId)
    if (!goesOn) this.lose()
    return goesOn
  }

  /** Gives up the past: nothing is covered until the nodes have said again where to begin. */
  lose(): void {
    if (this.isCovered) this.#lossCount += 1
    this.#coverage.lose()
    this.#pending.clear()
    this.#again.clear()
    this.#due.clear()
    this.#openKeys.clear()
    this.#open = { unread: 0, closed: undefined }
    this.#openedAtMs = undefined
    this.#cuts = []
    this.#place = undefined
    this.#settled = undefined
    this.#silentChecks = 0
  }

  // Calls ---------------------------------------------------------------------------------------------------

  call(nodeId: string, nowMs: number): Call {
    const { epoch } = this.epoch
    return { nodeId, epoch, from: this.#coverage.positionOf(nodeId), madeAt: this.now(nowMs) }
  }

  /** A node has answered a call. */
  answered({ nodeId, epoch, from, madeAt }: Call, answer: ChangesAnswer, nowMs: number): void {
    const { at, keys, begins, isTooEarly, hasMore } = answer
    const known = this.#coverage.positionOf(nodeId)
    // The node was dropped, the past given up, or the epoch has ended since the call was made.
    const isOld = known?.life !== from?.life || known?.number !== from?.number
    if (at === undefined || isOld || epoch !== this.epoch.epoch) return
    if (isTooEarly) return this.#drop(nodeId)
    for (const key of keys) if (this.#options.isWanted(key)) this.#told(key, nodeId, nowMs)
    if (begins) this.#coverage.began(nodeId, at, this.now(nowMs))
    else if (hasMore) this.#coverage.toldSome(nodeId, at)
    else this.#coverage.told(nodeId, at, madeAt, this.now(nowMs))
    // A cut without keys gives clients a newer place.
    const isNewPlace = known?.number !== at.number || this.#coverage.positions().size !== this.#placeSize
    if (isNewPlace && this.isCovered) this.#openedAtMs ??= nowMs
  }

  #told(key: string, nodeId: string, nowMs: number): void {
    const pending = this.#pending.get(key)
    if (pending === undefined) {
      this.#pending.set(key, this.#newKey(nodeId, nowMs))
      this.#openKeys.add(key)
    } else if (pending.reading === undefined) pending.tellers.add(nodeId)
    else {
      const again = this.#again.get(key)
      if (again === undefined) this.#again.set(key, this.#newKey(nodeId, nowMs))
      else again.tellers.add(nodeId)
    }
  }

  #newKey(nodeId: string, toldAtMs: number): PendingKey {
    this.#open.unread += 1
    return { tellers: new Set([nodeId]), toldAtMs, cut: this.#open, reading: undefined }
  }

  #drop(nodeId: string): void {
    this.#coverage.drop(nodeId)
    this.#forget(nodeId)
  }

  /**
   * What a node has told cannot be relied on: no read must count it, and no client goes on from its position.
   * A read from now on shows what was chosen before, and the other nodes tell what is chosen later.
   */
  #forget(nodeId: string): void {
    for (const pending of [...this.#pending.values(), ...this.#again.values()]) pending.tellers.delete(nodeId)
    for (const { positions } of this.#cuts) positions.delete(nodeId)
  }

  // Reads ---------------------------------------------------------------------------------------------------

  /** When the keys that are collected become due; `undefined`: there are none. */
  get dueAtMs(): number | undefined {
    return this.#openedAtMs === undefined ? undefined : this.#openedAtMs + this.#options.collectMs
  }

  /** Takes up to `limit` keys to read. */
  takeReads(limit: number, nowMs: number): DueRead[] {
    if (this.dueAtMs !== undefined && nowMs >= this.dueAtMs) this.#cut()
    const reads: DueRead[] = []
    for (const key of this.#due) {
      if (reads.length >= limit) break
      this.#due.delete(key)
      const pending = this.#pending.get(key)!
      pending.reading = { key, nodeIds: this.#options.mustCount([...pending.tellers]) }
      reads.push(pending.reading)
    }
    return reads
  }

  /** Whether what a read has found may be given out: the past was not given up since the read began. */
  isCurrent(read: DueRead): boolean {
    return this.#pending.get(read.key)?.reading === read
  }

  /** A read of a key has ended, and what it read was given out. It has counted the answers of these nodes. */
  wasRead(read: DueRead, counted: readonly string[], nowMs: number): void {
    const { key, nodeIds } = read
    const pending = this.#pending.get(key)
    if (pending?.reading !== read) return
    for (const nodeId of pending.tellers)
      if (counted.includes(nodeId) || !nodeIds.includes(nodeId)) pending.tellers.delete(nodeId)
    if (pending.tellers.size > 0 && nowMs - pending.toldAtMs > this.#options.patienceMs)
      for (const nodeId of [...pending.tellers]) this.#drop(nodeId)
    if (pending.tellers.size > 0 || isDropped(nodeIds, counted, pending)) return this.#retry(key, pending)
    this.#end(key, pending)
  }

  /** A read of a key has failed, and is tried again. */
  failed(read: DueRead): void {
    const pending = this.#pending.get(read.key)
    if (pending?.reading === read) this.#retry(read.key, pending)
  }

  /** A key cannot be read, whenever it is tried. */
  skip(read: DueRead): void {
    const pending = this.#pending.get(read.key)
    if (pending?.reading === read) this.#end(read.key, pending)
  }

  #retry(key: string, pending: PendingKey): void {
    pending.reading = undefined
    for (const nodeId of this.#again.get(key)?.tellers ?? []) pending.tellers.add(nodeId)
    const again = this.#again.get(key)
    // Both are read at once, and each counts in its own cut.
    if (again !== undefined) {
      this.#again.delete(key)
      this.#leave(again.cut)
    }
    this.#due.add(key)
  }

  #end(key: string, pending: PendingKey): void {
    this.#pending.delete(key)
    const again = this.#again.get(key)
    if (again !== undefined) {
      this.#again.delete(key)
      this.#pending.set(key, again)
      if (again.cut.closed === undefined) this.#openKeys.add(key)
      else this.#due.add(key)
    }
    this.#leave(pending.cut)
  }

  #leave(cut: OpenCut): void {
    cut.unread -= 1
    if (cut.closed === undefined) return
    cut.closed.unread -= 1
    this.#settle()
  }

  #cut(): void {
    const cut: Cut = {
      positions: this.#coverage.positions(),
      epoch: this.epoch.epoch,
      reached: this.#coverage.reached,
      unread: this.#open.unread,
    }
    this.#open.closed = cut
    for (const key of this.#openKeys) if (this.#pending.get(key)?.reading === undefined) this.#due.add(key)
    this.#openKeys.clear()
    this.#open = { unread: 0, closed: undefined }
    this.#openedAtMs = undefined
    this.#cuts.push(cut)
    this.#placeSize = cut.positions.size
    this.#settle()
  }

  #settle(): void {
    while (this.#cuts[0]?.unread === 0) {
      const { positions, epoch, reached } = this.#cuts.shift()!
      const named = [...positions].map(([nodeId, position]) => [nameInPlace(nodeId), position] as const)
      this.#place = { positions: new Map(named), epoch }
      this.#settled = reached
    }
  }

  // Silence -------------------------------------------------------------------------------------------------

  /**
   * Called again and again, a few times in `silenceMsMax`. Gives the past up if nothing was covered, or a key
   * could not be read, for too long. A process that was stopped gets one more chance.
   *
   * @returns whether the past was given up
   */
  check(nowMs: number): boolean {
    const { silenceMsMax } = this.#options
    const [oldest] = this.#pending.values()
    const isStuck = oldest !== undefined && nowMs - oldest.toldAtMs > silenceMsMax
    const isSilent = isStuck || (this.lagMs(nowMs) ?? 0) > silenceMsMax
    this.#silentChecks = isSilent ? this.#silentChecks + 1 : 0
    if (this.#silentChecks < 2) return false
    this.lose()
    return true
  }
}

/**
 * Whether a node that the read should have counted was dropped before the end of the read: the read may have
 * begun before that.
 */
function isDropped(nodeIds: readonly string[], counted: readonly string[], pending: PendingKey): boolean {
  return pending.tellers.size === 0 && nodeIds.some((nodeId) => !counted.includes(nodeId))
}
