/**
 * Follows the changes of the groups on all nodes of the cluster (protocol.md §10). What to call and to read
 * is decided by `src/changes`, which is pure; this file makes the calls and the reads.
 */
import type { Logger } from 'pino'
import type { ChangesReport } from '../../../changes/changes-metrics.ts'
import type { DueRead } from '../../../changes/follower.ts'
import { type Call, Follower } from '../../../changes/follower.ts'
import { KnownGroups } from '../../../changes/known-groups.ts'
import { decodePlace, encodePlace } from '../../../changes/token.ts'
import { etagOf } from '../../../group/etag.ts'
import type { Group } from '../../../group/group.ts'
import { decodeGroup } from '../../../group/group-codec.ts'
import type { Cluster } from '../../../membership/cluster.ts'
import type { EpochNode } from '../../../membership/epoch-node.ts'
import { type Clock, sleep } from '../../../process/clock.ts'
import type { Value } from '../../../register/state.ts'
import { quorumsOfMembership } from '../../../rpc/membership.ts'
import type { Change, Changes, ChangesListener, Following } from '../../engine.ts'
import { GROUP_NAMESPACE } from '../group-registry.ts'
import { CatchUp } from './catch-up.ts'
import { readCounting } from './counting-read.ts'

export type ChangesLimits = Readonly<{
  /** How long keys are collected before they are read, and the pause after a node has told some. */
  collectMs: number
  /** How long a node holds a call when it has nothing to tell. */
  holdMs: number
  /** How much longer a node may take to answer. */
  answerMs: number
  /** The pause before a node that did not answer is called again. */
  retryMs: number
  patienceMs: number
  silenceMsMax: number
  /** How many keys are read at a time. */
  readsMax: number
}>

export const CHANGES_LIMITS: ChangesLimits = {
  collectMs: 20,
  holdMs: 500,
  answerMs: 1_500,
  retryMs: 100,
  patienceMs: 1_000,
  silenceMsMax: 4_000,
  readsMax: 64,
}

/** How often it is checked whether there is a new epoch. */
const TICK_MS = 50
/** How often it is checked whether the coverage goes on, in ticks. */
const TICKS_PER_CHECK = 10

export type ClusterChangesOptions = Readonly<{
  cluster: Pick<Cluster, 'client' | 'membership' | 'nodes'>
  clock: Clock
  logger: Pick<Logger, 'info' | 'warn'>
  limits: ChangesLimits
  /** As in `FollowerOptions`. */
  mustCount?: (nodeIds: readonly string[]) => readonly string[]
}>

/** Counts since the start. */
export type ClusterChangesReport = ChangesReport & Readonly<{ readCount: number }>

export class ClusterChanges implements Changes {
  readonly #options: ClusterChangesOptions
  readonly #counts = { readCount: 0, changeCount: 0, lostCount: 0 }
  readonly #following = new Set<ClusterFollowing>()

  constructor(options: ClusterChangesOptions) {
    this.#options = options
  }

  follow(listener: ChangesListener): ClusterFollowing {
    const following = new ClusterFollowing(this.#options, listener, this.#counts, () =>
      this.#following.delete(following),
    )
    this.#following.add(following)
    return following
  }

  get report(): ClusterChangesReport {
    const [first] = this.#following
    return {
      isFollowing: first !== undefined,
      isCovered: first?.isCovered ?? false,
      lagMs: first?.lagMs,
      ...this.#counts,
    }
  }

  /** Ends everything that is followed. */
  close(): void {
    for (const following of [...this.#following]) following.close()
  }
}

/** What one listener follows. */
export class ClusterFollowing implements Following {
  readonly #options: ClusterChangesOptions
  readonly #listener: ChangesListener
  readonly #counts: { readCount: number; changeCount: number; lostCount: number }
  readonly #onClose: () => void
  readonly #known = new KnownGroups()
  readonly #closing = new AbortController()
  /** `undefined` until the cluster is found. */
  #follower: Follower | undefined
  #wasCovered = false
  #lossCount = 0
  #ticks = 0
  #readCount = 0
  #cancelPump: (() => void) | undefined

  constructor(
    options: ClusterChangesOptions,
    listener: ChangesListener,
    counts: { readCount: number; changeCount: number; lostCount: number },
    onClose: () => void,
  ) {
    this.#options = options
    this.#listener = listener
    this.#counts = counts
    this.#onClose = onClose
    void this.#run()
  }

  get isCovered(): boolean {
    return this.#wasCovered
  }

  get lagMs(): number | undefined {
    return this.#follower?.lagMs(this.#options.clock.nowMs())
  }

  /** Everything that was chosen before this time of the clock was given out. */
  get settledMs(): number | undefined {
    return this.#follower?.settled?.ms
  }

  get place(): string | undefined {
    const place = this.#follower?.place
    return place === undefined ? undefined : encodePlace(place)
  }

  close(): void {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    this.#cancelPump?.()
    this.#onClose()
  }

  async since(place: string, give: (changes: readonly Change[]) => Promise<void>): Promise<boolean> {
    const from = decodePlace(place)
    const { cluster, clock, limits } = this.#options
    const { client, nodes } = cluster
    if (from === undefined || client === undefined || this.#follower === undefined || !this.#wasCovered)
      return false
    const { epoch } = this.#follower.epoch
    if (cluster.membership?.epoch !== epoch) return false
    if (epoch !== from.epoch && epoch !== from.epoch + 1) return false
    const catchUp = new CatchUp({
      target: { nodes, client },
      quorums: this.#follower.epoch.quorums,
      clock,
      answerMs: limits.answerMs,
      isWanted,
      mustCount: this.#options.mustCount ?? all,
    })
    return catchUp.run(from, async (values) => {
      const changes = values.flatMap(({ key, value }) => {
        const group = readGroup(value)
        if (group === 'unreadable') return []
        const groupId = key.slice(GROUP_NAMESPACE.length)
        return { groupId, group, lastEtag: this.#known.etagOf(groupId) }
      })
      await give(changes)
    })
  }

  /** Watches the epoch and the coverage until it is closed. */
  async #run(): Promise<void> {
    const { clock, cluster } = this.#options
    const { signal } = this.#closing
    while (!signal.aborted) {
      const { membership } = cluster
      if (membership !== undefined && membership.epoch !== this.#follower?.epoch.epoch) this.#enter()
      this.#ticks += 1
      if (this.#ticks % TICKS_PER_CHECK === 0 && this.#follower?.check(clock.nowMs())) this.#update()
      await sleep(TICK_MS, clock, signal)
    }
  }

  #enter(): void {
    const { cluster, limits, mustCount = all } = this.#options
    const membership = cluster.membership!
    const nodes = cluster.nodes
    const epoch = {
      epoch: membership.epoch,
      nodeIds: nodes.map(({ nodeId }) => nodeId),
      quorums: quorumsOfMembership(membership),
    }
    if (this.#follower === undefined) this.#follower = new Follower(epoch, { ...limits, isWanted, mustCount })
    else this.#follower.enter(epoch)
    this.#update()
    for (const node of nodes) void this.#callAgainAndAgain(this.#follower, node, membership.epoch)
  }

  // Calls ---------------------------------------------------------------------------------------------------

  async #callAgainAndAgain(follower: Follower, node: EpochNode, epoch: number): Promise<void> {
    const { clock, limits } = this.#options
    const { signal } = this.#closing
    // The first call of an epoch does not wait: its answer shows that the node is in the epoch.
    let waitMs = 0
    while (!signal.aborted && follower.epoch.epoch === epoch) {
      const call = follower.call(node.nodeId, clock.nowMs())
      const pauseMs = await this.#call(follower, node, call, waitMs)
      waitMs = limits.holdMs
      if (pauseMs > 0) await sleep(pauseMs, clock, signal)
    }
  }

  /** Makes one call. Returns the pause before the next one. */
  async #call(
    follower: Follower,
    { transport, recipient }: EpochNode,
    call: Call,
    waitMs: number,
  ): Promise<number> {
    const { clock, limits } = this.#options
    const request = { ...recipient, from: call.from, waitMs }
    const answer = await transport.changes(request, waitMs + limits.answerMs).catch(() => undefined)
    if (this.#closing.signal.aborted || answer?.at === undefined) return limits.retryMs
    follower.answered(call, answer, clock.nowMs())
    this.#update()
    this.#pump()
    if (answer.isTooEarly) return limits.holdMs
    return answer.keys.length > 0 && !answer.hasMore ? limits.collectMs : 0
  }

  /** Tells the listener when the coverage begins or is lost. */
  #update(): void {
    const isCovered = this.#follower?.isCovered ?? false
    const { logger } = this.#options
    if (this.#wasCovered && (!isCovered || this.#follower!.lossCount !== this.#lossCount)) {
      this.#wasCovered = false
      this.#counts.lostCount += 1
      logger.warn('changes of groups may have been missed: clients that watch are told so')
      this.#listener.onLost()
    }
    this.#lossCount = this.#follower?.lossCount ?? 0
    if (isCovered && !this.#wasCovered) {
      this.#wasCovered = true
      logger.info('every change of a group is told from now on')
      this.#listener.onCovered()
    }
  }

  // Reads ---------------------------------------------------------------------------------------------------

  #pump(): void {
    const { clock, limits } = this.#options
    const follower = this.#follower
    if (follower === undefined || this.#closing.signal.aborted) return
    for (const read of follower.takeReads(limits.readsMax - this.#readCount, clock.nowMs()))
      void this.#read(follower, read)
    const { dueAtMs } = follower
    if (dueAtMs === undefined || this.#cancelPump !== undefined) return
    this.#cancelPump = clock.after(Math.max(1, dueAtMs - clock.nowMs()), () => {
      this.#cancelPump = undefined
      this.#pump()
    })
  }

  async #read(follower: Follower, read: DueRead): Promise<void> {
    const { cluster, clock, limits } = this.#options
    const { client, nodes } = cluster
    this.#readCount += 1
    this.#counts.readCount += 1
    const found = await readCounting({ nodes, client: client! }, read, clock)
    const group = found === undefined ? undefined : readGroup(found.value)
    if (found === undefined) await sleep(limits.retryMs, clock, this.#closing.signal)
    this.#readCount -= 1
    if (this.#closing.signal.aborted) return
    if (found === undefined) follower.failed(read)
    // Every operation on the key reports this.
    else if (group === 'unreadable') follower.skip(read)
    else if (follower.isCurrent(read)) {
      this.#giveOut(read.key.slice(GROUP_NAMESPACE.length), group)
      follower.wasRead(read, found.counted, clock.nowMs())
    }
    this.#update()
    this.#pump()
  }

  #giveOut(groupId: string, group: Group | undefined): void {
    const lastEtag = this.#known.etagOf(groupId)
    if (group !== undefined) {
      const etag = etagOf(group)
      // No two states of a group have the same tag.
      if (etag === lastEtag) return
      this.#known.set(groupId, etag)
    }
    // A deletion is always given out: the client may have read a state that was never given out.
    this.#counts.changeCount += 1
    this.#listener.onChange({ groupId, group, lastEtag })
  }
}

function all(nodeIds: readonly string[]): readonly string[] {
  return nodeIds
}

function isWanted(key: string): boolean {
  return key.startsWith(GROUP_NAMESPACE)
}

function readGroup(value: Value): Group | undefined | 'unreadable' {
  if (value === undefined) return undefined
  try {
    return decodeGroup(value)
  } catch {
    return 'unreadable'
  }
}
