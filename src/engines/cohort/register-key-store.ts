/**
 * The API keys of the cluster: one register for each. So they are as safe as groups: replicated, repaired,
 * healed, and handed over when the members change.
 */
import type { ApiKey, KeyCommand, KeyDecision } from '../../access/api-key.ts'
import { decodeKey, encodeKey } from '../../access/api-key-codec.ts'
import type { KeyPage, KeyStore } from '../../access/key-store.ts'
import type { Outcome } from '../../group/registry.ts'
import { type Decision as RegisterDecision, UnreadableValueError } from '../../register/operation.ts'
import type { Value } from '../../register/state.ts'
import { successorKey } from '../../rpc/key-order.ts'
import { askCluster } from './outcomes.ts'
import { type ReachedCluster, RegisterWalk, type RegisterWalkOptions } from './register-walk.ts'

/**
 * The keys of their registers begin with this namespace. The rest is the public id.
 *
 * `cluster/` is a namespace that nodes of version 0.1.0 take too. `user-key/` comes after the other registers
 * of the cluster, so one range has all API keys, group members and groups, and nothing else: the removal of
 * tombstones walks over it.
 */
export const API_KEY_NAMESPACE = 'cluster/user-key/'
/** The first key after the namespace: `0` follows `/` in UTF-8. */
export const API_KEY_NAMESPACE_END = 'cluster/user-key0'

export class RegisterKeyStore implements KeyStore {
  readonly #cluster: ReachedCluster
  readonly #walk: RegisterWalk

  constructor(cluster: ReachedCluster, options: RegisterWalkOptions) {
    this.#cluster = cluster
    this.#walk = new RegisterWalk(cluster, options)
  }

  read(keyId: string): Promise<Outcome<ApiKey | undefined>> {
    return askCluster(this.#cluster, 'API key', (client) => client.read(API_KEY_NAMESPACE + keyId, keyOf))
  }

  change(keyId: string, command: KeyCommand): Promise<Outcome<KeyDecision>> {
    const decide = (value: Value): RegisterDecision<KeyDecision> => {
      const decision = command(keyOf(value))
      if (decision.kind !== 'changed') return { kind: 'keep', result: decision }
      const { key } = decision
      return { kind: 'propose', value: key === undefined ? undefined : encodeKey(key), result: decision }
    }
    return askCluster(this.#cluster, 'API key', (client) => client.submit(API_KEY_NAMESPACE + keyId, decide))
  }

  async scan({
    after,
    limit,
  }: Readonly<{ after: string | undefined; limit: number }>): Promise<Outcome<KeyPage>> {
    const start = after === undefined ? API_KEY_NAMESPACE : successorKey(API_KEY_NAMESPACE + after)
    const outcome = await askCluster(this.#cluster, 'API key', () =>
      this.#walk.page({ start, end: API_KEY_NAMESPACE_END, limit, decode: keyOf }),
    )
    if (outcome.kind !== 'done') return outcome
    const { values: keys, unreadable, after: last } = outcome.value
    const page = { keys, after: last === undefined ? undefined : keyIdOf(last) }
    if (unreadable.length === 0) return { kind: 'done', value: page }
    return { kind: 'done', value: { ...page, unreadable: unreadable.map(keyIdOf) } }
  }
}

function keyIdOf(key: string): string {
  return key.slice(API_KEY_NAMESPACE.length)
}

function keyOf(value: Value): ApiKey | undefined {
  if (value === undefined) return undefined
  try {
    return decodeKey(value)
  } catch (cause) {
    throw new UnreadableValueError('a value is no API key', { cause })
  }
}
