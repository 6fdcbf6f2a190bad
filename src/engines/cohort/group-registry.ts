/** The registry of groups that the register protocol keeps: one register per group. */
import type { Command, Decision, Group } from '../../group/group.ts'
import { decodeGroup, encodeGroup } from '../../group/group-codec.ts'
import type { Outcome, Registry, ScanPage } from '../../group/registry.ts'
import type { Cluster } from '../../membership/cluster.ts'
import { type Clock, sleep } from '../../process/clock.ts'
import type { Decision as RegisterDecision, Outcome as RegisterOutcome } from '../../register/operation.ts'
import type { NodeSet } from '../../register/quorum.ts'
import type { Value } from '../../register/state.ts'
import type { RegisterClient } from '../../replication/register-client.ts'
import { successorKey } from '../../scan/key-order.ts'
import { type KeyPage, nextKeys } from '../../scan/key-scan.ts'

/** Where groups are kept; the rest of the key is the group's id. */
export const GROUP_NAMESPACE = 'group/'
/** The first key beyond the namespace: `0` follows `/`. */
export const GROUP_NAMESPACE_END = 'group0'

const NOT_REACHED = 'no quorum of nodes has been reached yet'
const TOO_FEW_ANSWERS = 'too few nodes answered in time'
const MAY_HAVE_HAPPENED = 'too few nodes answered in time to tell whether it was done'

/** Between one try to list keys and the next. */
const RETRY_MS = 50

/** What the registry needs of the cluster: the way to its members, once it is found. */
type ReachedCluster = Pick<Cluster, 'client' | 'nodes'>

export type GroupRegistryOptions = Readonly<{
  clock: Pick<Clock, 'nowMs' | 'after'>
  operationTimeoutMs: number
}>

export class GroupRegistry implements Registry {
  readonly #cluster: ReachedCluster
  readonly #options: GroupRegistryOptions

  constructor(cluster: ReachedCluster, options: GroupRegistryOptions) {
    this.#cluster = cluster
    this.#options = options
  }

  read(groupId: string): Promise<Outcome<Group | undefined>> {
    return this.#ask((client) => client.read(GROUP_NAMESPACE + groupId, groupOf))
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

  async scan({
    after,
    limit,
  }: Readonly<{ after: string | undefined; limit: number }>): Promise<Outcome<ScanPage>> {
    const { clock, operationTimeoutMs: timeoutMs } = this.#options
    const untilMs = clock.nowMs() + timeoutMs
    const groups: Group[] = []
    let start = after === undefined ? GROUP_NAMESPACE : successorKey(GROUP_NAMESPACE + after)
    while (true) {
      const page = await this.#nextKeys(start, untilMs)
      if (page === undefined) return { kind: 'not_applied', reason: TOO_FEW_ANSWERS }
      const ids = page.keys.map((key) => key.slice(GROUP_NAMESPACE.length))
      const outcome = await this.#readInto(groups, ids, limit)
      if (outcome.kind !== 'done') return outcome
      if (groups.length === limit) return { kind: 'done', value: { groups, after: groups.at(-1)?.groupId } }
      if (page.nextStart === undefined) return { kind: 'done', value: { groups, after: undefined } }
      // Many deleted groups in a row: whoever asks for the next page goes on from here.
      if (clock.nowMs() >= untilMs) return { kind: 'done', value: { groups, after: ids.at(-1) } }
      start = page.nextStart
    }
  }

  /** The epoch that this begins in may end meanwhile: then it begins again in the next one. */
  async #nextKeys(start: string, untilMs: number): Promise<KeyPage | undefined> {
    const { clock, operationTimeoutMs: timeoutMs } = this.#options
    for (;;) {
      const { client, nodes: sources } = this.#cluster
      if (client === undefined) return undefined
      const isQuorum = (nodes: NodeSet) => client.isQuorum(nodes)
      const page = await nextKeys({ sources, start, end: GROUP_NAMESPACE_END, isQuorum, clock, timeoutMs })
      if (page !== undefined || clock.nowMs() >= untilMs) return page
      await sleep(RETRY_MS, clock)
    }
  }

  /** Reads groups in the order of their ids, no more at a time than are still wanted, until there are `limit`. */
  async #readInto(groups: Group[], ids: readonly string[], limit: number): Promise<Outcome<unknown>> {
    let next = 0
    while (next < ids.length && groups.length < limit) {
      const wanted = ids.slice(next, next + limit - groups.length)
      for (const outcome of await Promise.all(wanted.map((id) => this.read(id)))) {
        if (outcome.kind !== 'done') return outcome
        if (outcome.value !== undefined) groups.push(outcome.value)
      }
      next += wanted.length
    }
    return { kind: 'done', value: undefined }
  }

  async #ask<T>(ask: (client: RegisterClient) => Promise<RegisterOutcome<T>>): Promise<Outcome<T>> {
    const { client } = this.#cluster
    if (client === undefined) return { kind: 'not_applied', reason: NOT_REACHED }
    return outcomeOf(await ask(client))
  }
}

function groupOf(value: Value): Group | undefined {
  return value === undefined ? undefined : decodeGroup(value)
}

function outcomeOf<T>(outcome: RegisterOutcome<T>): Outcome<T> {
  switch (outcome.kind) {
    case 'decided':
      return { kind: 'done', value: outcome.result }
    case 'not_applied':
      return { kind: 'not_applied', reason: TOO_FEW_ANSWERS }
    case 'unknown':
      return { kind: 'unknown', reason: MAY_HAVE_HAPPENED }
    default:
      return outcome satisfies never
  }
}
