/** The registry of groups on top of the register protocol: one register per group. */
import type { CutText } from '../../group/cut-text.ts'
import type { Command, Decision, Group, ShownGroup } from '../../group/group.ts'
import { cutForBackup, cutForClients, decodeGroup, encodeGroup, showStored } from '../../group/group-codec.ts'
import type { Outcome, Registry, ScanOptions, ScanPage, TextForm, TextPage } from '../../group/registry.ts'
import { type Decision as RegisterDecision, UnreadableValueError } from '../../register/operation.ts'
import type { Value } from '../../register/state.ts'
import { compareKeys, keyAfterPrefix, successorKey } from '../../rpc/key-order.ts'
import { askCluster } from './outcomes.ts'
import { type ReachedCluster, RegisterWalk, type RegisterWalkOptions } from './register-walk.ts'

/** The keys of groups begin with this namespace. The rest of the key is the group's id. */
export const GROUP_NAMESPACE = 'group/'
/** The first key after the namespace: `0` follows `/` in UTF-8. */
export const GROUP_NAMESPACE_END = 'group0'

export class GroupRegistry implements Registry {
  readonly #cluster: ReachedCluster
  readonly #walk: RegisterWalk

  constructor(cluster: ReachedCluster, options: RegisterWalkOptions) {
    this.#cluster = cluster
    this.#walk = new RegisterWalk(cluster, options)
  }

  read(groupId: string): Promise<Outcome<Group | undefined>> {
    return askCluster(this.#cluster, 'group', (client) => client.read(GROUP_NAMESPACE + groupId, groupOf))
  }

  show(groupId: string): Promise<Outcome<ShownGroup | undefined>> {
    return askCluster(this.#cluster, 'group', (client) => client.read(GROUP_NAMESPACE + groupId, shownOf))
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
    return askCluster(this.#cluster, 'group', (client) => client.submit(GROUP_NAMESPACE + groupId, decide))
  }

  async scan(options: ScanOptions): Promise<Outcome<ScanPage>> {
    const outcome = await this.#page(options, groupOf)
    if (outcome.kind !== 'done') return outcome
    const { values: groups, ...page } = outcome.value
    return { kind: 'done', value: { groups, ...page } }
  }

  async scanTexts({
    form,
    ...options
  }: Omit<ScanOptions, 'isWanted'> & Readonly<{ form: TextForm }>): Promise<Outcome<TextPage>> {
    const outcome = await this.#page(options, form === 'shown' ? shownTextOf : backupTextOf)
    if (outcome.kind !== 'done') return outcome
    const { values: texts, ...page } = outcome.value
    return { kind: 'done', value: { texts, ...page } }
  }

  async #page<T>(
    options: Omit<ScanOptions, 'isWanted'> & Readonly<{ isWanted?: ((value: T) => boolean) | undefined }>,
    decode: (value: Value) => T | undefined,
  ): Promise<Outcome<Omit<ScanPage, 'groups'> & Readonly<{ values: readonly T[] }>>> {
    const { limit, isWanted } = options
    const outcome = await askCluster(this.#cluster, 'group', () =>
      this.#walk.page({ ...rangeOf(options), limit, isWanted, decode }),
    )
    if (outcome.kind !== 'done') return outcome
    const { values, unreadable, after } = outcome.value
    const page = { values, after: after === undefined ? undefined : groupIdOf(after) }
    if (unreadable.length === 0) return { kind: 'done', value: page }
    return { kind: 'done', value: { ...page, unreadable: unreadable.map(groupIdOf) } }
  }
}

/** The keys of a scan: from `start` on, before `end`. If `start` is not before `end`, there are none. */
function rangeOf({ after, prefix = '' }: Pick<ScanOptions, 'after' | 'prefix'>): {
  start: string
  end: string
} {
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

function shownTextOf(value: Value): CutText | undefined {
  return value === undefined ? undefined : orUnreadable(cutForClients, value)
}

function backupTextOf(value: Value): CutText | undefined {
  return value === undefined ? undefined : orUnreadable(cutForBackup, value)
}

function orUnreadable<T>(decode: (bytes: Uint8Array) => T, value: Uint8Array): T {
  try {
    return decode(value)
  } catch (cause) {
    throw new UnreadableValueError('a value is no group', { cause })
  }
}
