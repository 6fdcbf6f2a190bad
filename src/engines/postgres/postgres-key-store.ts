/** API keys in registers of Postgres. */
import type { ApiKey, KeyCommand, KeyDecision } from '../../access/api-key.ts'
import { decodeKey, encodeKey } from '../../access/api-key-codec.ts'
import type { KeyPage, KeyStore } from '../../access/key-store.ts'
import type { Outcome } from '../../group/registry.ts'
import type { RegisterStore } from './register-store.ts'
import { decodeOrThrow, orUndefined, type RowDecision } from './row-store.ts'

/** As in the engine `cohort`. */
const NAMESPACE = 'cluster/user-key/'
const NAMESPACE_END = 'cluster/user-key0'

const UNREADABLE = 'what the database holds for this API key cannot be read'

export class PostgresKeyStore implements KeyStore {
  readonly #store: RegisterStore

  constructor(store: RegisterStore) {
    this.#store = store
  }

  read(keyId: string): Promise<Outcome<ApiKey | undefined>> {
    return this.#store.read(NAMESPACE + keyId, keyOf)
  }

  change(keyId: string, command: KeyCommand): Promise<Outcome<KeyDecision>> {
    return this.#store.change(NAMESPACE + keyId, (value): RowDecision<KeyDecision> => {
      const decision = command(keyOf(value))
      if (decision.kind !== 'changed') return { kind: 'keep', result: decision }
      const { key } = decision
      return { kind: 'write', value: key === undefined ? undefined : encodeKey(key), result: decision }
    })
  }

  async scan({
    after,
    limit,
  }: Readonly<{ after: string | undefined; limit: number }>): Promise<Outcome<KeyPage>> {
    const last = after === undefined ? '' : NAMESPACE + after
    const range = { start: NAMESPACE, after: last, end: NAMESPACE_END, limit: limit + 1 }
    const outcome = await this.#store.scan(range)
    if (outcome.kind !== 'done') return outcome
    const keys: ApiKey[] = []
    const unreadable: string[] = []
    const rows = outcome.value.slice(0, limit)
    for (const { key, value } of rows) {
      const decoded = orUndefined(() => keyOf(value))
      if (decoded === undefined) unreadable.push(key.slice(NAMESPACE.length))
      else keys.push(decoded)
    }
    const isLast = outcome.value.length <= limit
    const page = { keys, after: isLast ? undefined : rows.at(-1)!.key.slice(NAMESPACE.length) }
    return { kind: 'done', value: unreadable.length === 0 ? page : { ...page, unreadable } }
  }
}

function keyOf(value: Uint8Array | undefined): ApiKey | undefined {
  return decodeOrThrow(value, decodeKey, UNREADABLE)
}
