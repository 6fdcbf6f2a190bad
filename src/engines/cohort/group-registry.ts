/** The registry of groups on top of the register protocol: one register per group. */
import type { Command, Decision, Group, ShownGroup } from '../../group/group.ts'
import { decodeGroup, encodeGroup, showStored } from '../../group/group-codec.ts'
import type { Outcome, Registry, ScanOptions, ScanPage } from '../../group/registry.ts'
import type { Cluster } from '../../membership/cluster.ts'
import { type Clock, sleep } from '../../process/clock.ts'
import { wholeRecords } from '../../register/damage.ts'
import {
  type Decision as RegisterDecision,
  type Outcome as RegisterOutcome,
  UnreadableValueError,
} from '../../register/operation.ts'
import type { NodeSet } from '../../register/quorum.ts'
import type { Value } from '../../register/state.ts'
import type { RegisterClient } from '../../replication/register-client.ts'
import { compareKeys, keyAfterPrefix, successorKey } from '../../rpc/key-order.ts'
import type { MergedEntry } from '../../scan/merge-scans.ts'
import { nextRecords, type RecordPage } from '../../scan/record-scan.ts'
import { NOT_REACHED, outcomeOf, TOO_FEW_ANSWERS } from './outcomes.ts'

/** The keys of groups begin with this namespace. The rest of the key is the group's id. */
export const GROUP_NAMESPACE = 'group/'
/** The first key after the namespace: `0` follows `/` in UTF-8. */
export const GROUP_NAMESPACE_END = 'group0'

/**
 * How many records to ask a node for at least. Some of them can be of groups that were deleted or are not
 * wanted. If there were many of those, the next request is twice as large, up to the second number.
 */
const RECORDS_MIN = 64
const RECORDS_MAX = 1_024

/** A page ends when its groups have so many bytes. One page would otherwise hold 1,000 groups of 70 KB. */
const PAGE_BYTES = 4 * 1024 * 1024

/** The pause between two attempts to scan records. */
const RETRY_MS = 50

/**
 * What the registry needs of the cluster: the client and the nodes, which exist when the cluster is found.
 */
type ReachedCluster = Pick<Cluster, 'client' | 'nodes'>

export type GroupRegistryOptions = Readonly<{
  clock: Pick<Clock, 'nowMs' | 'after'>
  operationTimeoutMs: number
}>

export class GroupRegistry implements Registry {
  readonly #cluster: ReachedCluster
  readonly #options: GroupRegistryOptions
  /** The number of scans so far. By it, each scan begins at the next node. */
  #turn = 0

  constructor(cluster: ReachedCluster, options: GroupRegistryOptions) {
    this.#cluster = cluster
    this.#options = options
  }

  read(groupId: string): Promise<Outcome<Group | undefined>> {
    return this.#ask((client) => client.read(GROUP_NAMESPACE + groupId, groupOf))
  }

  show(groupId: string): Promise<Outcome<ShownGroup | undefined>> {
    return this.#ask((client) => client.read(GROUP_NAMESPACE + groupId, shownOf))
  }

  change(groupId: string, command: Command): Promise<Outcome<Decision>> {
    const decide = (value: Value): RegisterDecision<Decision> => {
      const decision = command(groupOf(value))
      if (decision.kind !== 'changed') return { kind: 'keep', result: decision }
      const { group } = decision
      return {
        kind: 'propose',
        value: group === undefined ? undefined : encodeGroup(group),
        result: decision,
      }
    }
    return this.#ask((client) => client.submit(GROUP_NAMESPACE + groupId, decide))
  }

  async scan(options: ScanOptions): Promise<Outcome<ScanPage>> {
    const { clock, operationTimeoutMs: timeoutMs } = this.#options
    const untilMs = clock.nowMs() + timeoutMs
    const found = new FoundGroups(options)
    const { start: first, end } = rangeOf(options)
    let start = first
    let bytes = 0
    for (let most = RECORDS_MIN; ; most = Math.min(2 * most, RECORDS_MAX)) {
      if (compareKeys(start, end) >= 0) return { kind: 'done', value: found.page(undefined) }
      const page = await this.#nextRecords({ start, end, limit: Math.max(found.room, most) }, untilMs)
      if (page === undefined) return { kind: 'not_applied', reason: TOO_FEW_ANSWERS }
      const outcome = await this.#readInto(found, page.entries)
      if (outcome.kind !== 'done') return outcome
      if (found.room === 0) return { kind: 'done', value: found.page(found.lastId) }
      if (page.nextStart === undefined) return { kind: 'done', value: found.page(undefined) }
      bytes += page.valueBytes
      // The groups are large, or many in a row were deleted or are not wanted.
      if (bytes >= PAGE_BYTES || clock.nowMs() >= untilMs) {
        return { kind: 'done', value: found.page(groupIdOf(page.entries.at(-1)!.key)) }
      }
      start = page.nextStart
    }
  }

  /** If the epoch ends during the scan, the scan is repeated in the next epoch. */
  async #nextRecords(
    range: Readonly<{ start: string; end: string; limit: number }>,
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
      if (page !== undefined || clock.nowMs() >= untilMs) return page
      await sleep(RETRY_MS, clock)
    }
  }

  /**
   * Adds the groups of these keys, in their order, until the page is full. If the records of a quorum show
   * which state is chosen, that state is the group. Otherwise the key is read. At a time, no more keys are
   * read than groups are still missing.
   */
  async #readInto(found: FoundGroups, entries: readonly MergedEntry[]): Promise<Outcome<undefined>> {
    const { client } = this.#cluster
    let next = 0
    while (next < entries.length && found.room > 0) {
      const wanted = entries.slice(next, next + found.room)
      const readings = wanted.map(({ key, records }) => {
        const chosen = client?.judge(wholeRecords(records))?.chosen
        if (chosen === undefined) return this.#readKey(key)
        try {
          return groupOf(chosen.state.value)
        } catch (error) {
          // The read returns this error as an outcome, and reports it.
          if (error instanceof UnreadableValueError) return this.#readKey(key)
          throw error
        }
      })
      for (const [index, reading] of readings.entries()) {
        const groupId = groupIdOf(wanted[index]!.key)
        const read = reading instanceof Promise ? await reading : reading
        if (read === undefined) continue
        if (!('kind' in read)) found.add(groupId, read)
        else if (read.kind === 'decided') found.add(groupId, read.result)
        else if (read.fault === 'unreadable') found.addUnreadable(groupId)
        else return outcomeOf(read, 'group')
      }
      next += wanted.length
    }
    return { kind: 'done', value: undefined }
  }

  async #readKey(key: string): Promise<RegisterOutcome<Group | undefined>> {
    return (await this.#cluster.client?.read(key, groupOf)) ?? { kind: 'not_applied' }
  }

  async #ask<T>(ask: (client: RegisterClient) => Promise<RegisterOutcome<T>>): Promise<Outcome<T>> {
    const { client } = this.#cluster
    if (client === undefined) return { kind: 'not_applied', reason: NOT_REACHED }
    return outcomeOf(await ask(client), 'group')
  }
}

/** What a page of a scan has found so far. */
class FoundGroups {
  readonly #limit: number
  readonly #isWanted: (group: Group) => boolean
  readonly #groups: Group[] = []
  readonly #unreadable: string[] = []
  lastId: string | undefined

  constructor({ limit, isWanted = () => true }: ScanOptions) {
    this.#limit = limit
    this.#isWanted = isWanted
  }

  /** How many more the page holds. */
  get room(): number {
    return this.#limit - this.#groups.length - this.#unreadable.length
  }

  /** `undefined`: there is no such group. */
  add(groupId: string, group: Group | undefined): void {
    if (group === undefined || !this.#isWanted(group)) return
    this.#groups.push(group)
    this.lastId = groupId
  }

  addUnreadable(groupId: string): void {
    this.#unreadable.push(groupId)
    this.lastId = groupId
  }

  page(after: string | undefined): ScanPage {
    const page = { groups: this.#groups, after }
    return this.#unreadable.length === 0 ? page : { ...page, unreadable: this.#unreadable }
  }
}

/** The keys of a scan: from `start` on, before `end`. If `start` is not before `end`, there are none. */
function rangeOf({ after, prefix = '' }: ScanOptions): { start: string; end: string } {
  const first = GROUP_NAMESPACE + prefix
  const next = after === undefined ? first : successorKey(GROUP_NAMESPACE + after)
  return {
    start: compareKeys(next, first) < 0 ? first : next,
    end: keyAfterPrefix(first) ?? GROUP_NAMESPACE_END,
  }
}

function groupIdOf(key: string): string {
  return key.slice(GROUP_NAMESPACE.length)
}

function groupOf(value: Value): Group | undefined {
  return value === undefined ? undefined : orUnreadable(decodeGroup, value)
}

function shownOf(value: Value): ShownGroup | undefined {
  return value === undefined ? undefined : orUnreadable(showStored, value)
}

function orUnreadable<T>(decode: (bytes: Uint8Array) => T, value: Uint8Array): T {
  try {
    return decode(value)
  } catch (cause) {
    throw new UnreadableValueError('a value is no group', { cause })
  }
}
