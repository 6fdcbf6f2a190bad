/** Groups in registers of Postgres. */
import type { Command, Decision, Group, ShownGroup } from '../../group/group.ts'
import { decodeGroup, encodeGroup, showStored } from '../../group/group-codec.ts'
import type { Outcome, Registry, ScanOptions, ScanPage } from '../../group/registry.ts'
import { keyAfterPrefix } from '../../rpc/key-order.ts'
import type { RegisterStore } from './register-store.ts'
import { decodeOrThrow, orUndefined, type RowDecision } from './row-store.ts'

const NAMESPACE = 'group/'
/** The first key after the namespace: `0` follows `/` in UTF-8. */
const NAMESPACE_END = 'group0'

/** How many rows to ask for at least. Some of them can be of groups that are not wanted. */
const ROWS_MIN = 64
const ROWS_MAX = 1_024
/** A page ends when its rows have so many bytes. */
const PAGE_BYTES = 4 * 1024 * 1024

const UNREADABLE = 'what the database holds for this group cannot be read'

export class PostgresRegistry implements Registry {
  readonly #store: RegisterStore

  constructor(store: RegisterStore) {
    this.#store = store
  }

  read(groupId: string): Promise<Outcome<Group | undefined>> {
    return this.#store.read(NAMESPACE + groupId, groupOf)
  }

  show(groupId: string): Promise<Outcome<ShownGroup | undefined>> {
    return this.#store.read(NAMESPACE + groupId, shownOf)
  }

  change(groupId: string, command: Command): Promise<Outcome<Decision>> {
    return this.#store.change(NAMESPACE + groupId, (value): RowDecision<Decision> => {
      const decision = command(groupOf(value))
      if (decision.kind !== 'changed') return { kind: 'keep', result: decision }
      const { group } = decision
      return { kind: 'write', value: group === undefined ? undefined : encodeGroup(group), result: decision }
    })
  }

  async scan({ after, limit, prefix = '', isWanted = () => true }: ScanOptions): Promise<Outcome<ScanPage>> {
    const groups: Group[] = []
    const unreadable: string[] = []
    const page = (lastId: string | undefined): Outcome<ScanPage> => {
      const value = { groups, after: lastId }
      return { kind: 'done', value: unreadable.length === 0 ? value : { ...value, unreadable } }
    }
    const start = NAMESPACE + prefix
    const end = keyAfterPrefix(start) ?? NAMESPACE_END
    let last = after === undefined ? '' : NAMESPACE + after
    let bytes = 0
    for (let most = ROWS_MIN; ; most = Math.min(2 * most, ROWS_MAX)) {
      const asked = Math.max(limit + 1 - groups.length - unreadable.length, most)
      const outcome = await this.#store.scan({ start, after: last, end, limit: asked })
      if (outcome.kind !== 'done') return outcome
      for (const { key, value } of outcome.value) {
        const groupId = key.slice(NAMESPACE.length)
        const group = orUndefined(() => groupOf(value))
        if (group === undefined) unreadable.push(groupId)
        else if (isWanted(group)) groups.push(group)
        bytes += value.length
        const isFull = groups.length + unreadable.length === limit
        if (isFull || bytes >= PAGE_BYTES) return page(groupId)
      }
      if (outcome.value.length < asked) return page(undefined)
      last = outcome.value.at(-1)!.key
    }
  }
}

function groupOf(value: Uint8Array | undefined): Group | undefined {
  return decodeOrThrow(value, decodeGroup, UNREADABLE)
}

function shownOf(value: Uint8Array | undefined): ShownGroup | undefined {
  return decodeOrThrow(value, showStored, UNREADABLE)
}
