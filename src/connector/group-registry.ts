/** The registry of groups that the register protocol keeps: one register per group. */
import type { Command, Decision, Group } from '../group/group.ts'
import { decodeGroup, encodeGroup } from '../group/group-codec.ts'
import type { Outcome, Registry, ScanPage } from '../group/registry.ts'
import type { Decision as RegisterDecision, Outcome as RegisterOutcome } from '../register/operation.ts'
import { classicQuorum } from '../register/quorum.ts'
import type { Value } from '../register/state.ts'
import type { Cluster } from './cluster.ts'
import { type KeyPage, nextKeys, successorKey } from './key-scan.ts'

/** Where groups are kept; the rest of the key is the group's id. */
export const GROUP_NAMESPACE = 'group/'
/** The first key beyond the namespace: `0` follows `/`. */
const GROUP_NAMESPACE_END = 'group0'

const NOT_REACHED = 'no quorum of nodes has been reached yet'
const TOO_FEW_ANSWERS = 'too few nodes answered in time'
const MAY_HAVE_HAPPENED = 'too few nodes answered in time to tell whether it was done'

/** What the registry needs of the cluster: the way to its members, once it is found. */
type ReachedCluster = Pick<Cluster, 'client' | 'memberTransports'>

export class GroupRegistry implements Registry {
  readonly #cluster: ReachedCluster

  constructor(cluster: ReachedCluster) {
    this.#cluster = cluster
  }

  read(groupId: string): Promise<Outcome<Group | undefined>> {
    return this.#submit<Group | undefined>(groupId, (value) => ({ kind: 'keep', result: groupOf(value) }))
  }

  change(groupId: string, command: Command): Promise<Outcome<Decision>> {
    return this.#submit<Decision>(groupId, (value) => {
      const decision = command(groupOf(value))
      if (decision.kind !== 'changed') return { kind: 'keep', result: decision }
      const { group } = decision
      return {
        kind: 'propose',
        value: group === undefined ? undefined : encodeGroup(group),
        result: decision,
      }
    })
  }

  async scan({
    after,
    limit,
  }: Readonly<{ after: string | undefined; limit: number }>): Promise<Outcome<ScanPage>> {
    const transports = this.#cluster.memberTransports
    if (transports.length === 0) return { kind: 'not_applied', reason: TOO_FEW_ANSWERS }
    const classic = classicQuorum(transports.length)
    const groups: Group[] = []
    let start: string | undefined =
      after === undefined ? GROUP_NAMESPACE : successorKey(GROUP_NAMESPACE + after)
    while (start !== undefined) {
      const page: KeyPage | undefined = await nextKeys(
        transports,
        { start, end: GROUP_NAMESPACE_END },
        classic,
      )
      if (page === undefined) return { kind: 'not_applied', reason: TOO_FEW_ANSWERS }
      const reads = await Promise.all(page.keys.map((key) => this.read(key.slice(GROUP_NAMESPACE.length))))
      for (const outcome of reads) {
        if (outcome.kind !== 'done') return outcome
        if (outcome.value === undefined) continue
        groups.push(outcome.value)
        if (groups.length === limit) return { kind: 'done', value: { groups, after: outcome.value.groupId } }
      }
      start = page.nextStart
    }
    return { kind: 'done', value: { groups, after: undefined } }
  }

  async #submit<T>(groupId: string, decide: (value: Value) => RegisterDecision): Promise<Outcome<T>> {
    const client = this.#cluster.client
    if (client === undefined) return { kind: 'not_applied', reason: NOT_REACHED }
    return outcomeOf<T>(await client.submit(GROUP_NAMESPACE + groupId, decide))
  }
}

function groupOf(value: Value): Group | undefined {
  return value === undefined ? undefined : decodeGroup(value)
}

function outcomeOf<T>(outcome: RegisterOutcome): Outcome<T> {
  switch (outcome.kind) {
    case 'decided':
      return { kind: 'done', value: outcome.result as T }
    case 'not_applied':
      return { kind: 'not_applied', reason: TOO_FEW_ANSWERS }
    case 'unknown':
      return { kind: 'unknown', reason: MAY_HAVE_HAPPENED }
    default:
      return outcome satisfies never
  }
}
