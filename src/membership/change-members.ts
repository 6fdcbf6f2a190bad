import type { Member, Membership } from '../rpc/messages.ts'
import type { Epoch } from './epoch.ts'
import { changeMembership } from './membership-register.ts'
import type { NodeDirectory } from './node-directory.ts'
import {
  type ChangePlan,
  type ChangeRefusal,
  planAdd,
  planRemove,
  planReplace,
  type requireSpare,
} from './plan-change.ts'
import { isEmpty } from './sighting.ts'

/**
 * The result of a request for a change. The `reason` of a refusal is one or two sentences. The `reason` of a
 * failure is one sentence without its full stop.
 */
export type ChangeResult =
  /** The change is chosen. This connector or another one carries it out. */
  | Readonly<{ kind: 'accepted'; membership: Membership }>
  | Readonly<{
      kind: 'refused'
      code: ChangeRefusal['code'] | 'node_unreachable' | 'node_not_empty'
      reason: string
    }>
  | Readonly<{ kind: 'not_applied' | 'unknown'; reason: string }>

/** What `ChangeMembers` needs of the cluster. */
export type ChangeableCluster = Readonly<{
  /** `undefined` until the cluster is found. */
  epoch: () => Epoch | undefined
  directory: NodeDirectory
  requireSpare: typeof requireSpare
  /** Called when a newer membership is chosen. `isOurs`: this connector has proposed it. */
  onChosen: (membership: Membership, isOurs: boolean) => void
}>

/**
 * Changes the membership. Only one change can be under way at a time. Each method resolves when the change is
 * chosen, which is before it is complete.
 */
export class ChangeMembers {
  readonly #cluster: ChangeableCluster

  constructor(cluster: ChangeableCluster) {
    this.#cluster = cluster
  }

  /** Adds the empty node at an address (host:port) as a member. */
  add(address: string): Promise<ChangeResult> {
    return this.#withNewcomer(address, (current, newcomer) => planAdd(current, newcomer))
  }

  /** Replaces a member by the empty node at an address (host:port). */
  replace(nodeId: string, address: string): Promise<ChangeResult> {
    return this.#withNewcomer(address, (current, newcomer) => planReplace(current, nodeId, newcomer))
  }

  /** Removes a member. */
  remove(nodeId: string): Promise<ChangeResult> {
    return this.#change((current) => planRemove(current, nodeId))
  }

  async #withNewcomer(
    address: string,
    plan: (current: Membership, newcomer: Member) => ChangePlan,
  ): Promise<ChangeResult> {
    const { epoch, directory } = this.#cluster
    const current = epoch()?.membership
    if (current === undefined) return NOT_FOUND
    const description = await directory.describeNewcomer(address).catch(() => undefined)
    // A refusal that does not depend on the new node comes first, so that no one starts a node in vain.
    const newcomer = { nodeId: description?.nodeId ?? '', address }
    const planned = plan(current, newcomer)
    if (planned.kind === 'refused') return planned
    if (description === undefined) {
      const reason = `No node answers at ${address}: start it there, with an empty data directory, and try again.`
      return { kind: 'refused', code: 'node_unreachable', reason }
    }
    if (!isEmpty(description)) {
      const reason =
        `The node at ${address} (${description.nodeId}) holds data already, of this or another cluster; nothing was changed ` +
        'there. Start it with an empty data directory.'
      return { kind: 'refused', code: 'node_not_empty', reason }
    }
    return this.#change((now) => plan(now, newcomer))
  }

  /** The ids of the nodes that are reached, and know of no damaged record (protocol.md §9). */
  async #wholeMembers(nodes: Epoch['nodes']): Promise<ReadonlySet<string>> {
    const { directory } = this.#cluster
    const found = await Promise.all(
      nodes.map(async ({ nodeId, address, link }) => {
        if (!link.isReachable) return []
        const description = await directory.describe(address).catch(() => undefined)
        return (description?.damagedCount ?? 0) === 0 ? [nodeId] : []
      }),
    )
    return new Set(found.flat())
  }

  async #change(plan: (current: Membership) => ChangePlan): Promise<ChangeResult> {
    const { epoch, requireSpare, onChosen } = this.#cluster
    const current = epoch()
    if (current === undefined) return NOT_FOUND
    const { membership, client, nodes } = current
    const whole = await this.#wholeMembers(nodes)
    const planned = requireSpare(plan(membership), (nodeId) => whole.has(nodeId))
    if (planned.kind === 'refused') return planned
    const outcome = await changeMembership(client, membership, planned.membership)
    if (outcome.kind !== 'decided') return { kind: outcome.kind, reason: REASONS[outcome.kind] }
    onChosen(outcome.membership, outcome.isOurs)
    if (outcome.isOurs) return { kind: 'accepted', membership: outcome.membership }
    return {
      kind: 'refused',
      code: 'change_in_progress',
      reason:
        'Another change began at the same time, and only one can be under way: wait until it is finished.',
    }
  }
}

const NOT_FOUND: ChangeResult = { kind: 'not_applied', reason: 'no quorum of nodes has been reached yet' }

const REASONS = {
  not_applied: 'too few nodes answered in time',
  unknown: 'too few nodes answered in time to tell',
} as const
