/**
 * The API keys of the cluster: one register for each. So they are as safe as groups: replicated, repaired,
 * healed, and handed over when the members change.
 */
import type { ApiKey, KeyCommand, KeyDecision } from '../../access/api-key.ts'
import { decodeKey, encodeKey } from '../../access/api-key-codec.ts'
import type { KeyPage, KeyStore } from '../../access/key-store.ts'
import type { Outcome } from '../../group/registry.ts'
import type { Cluster } from '../../membership/cluster.ts'
import type { Clock } from '../../process/clock.ts'
import {
  type Decision as RegisterDecision,
  type Outcome as RegisterOutcome,
  UnreadableValueError,
} from '../../register/operation.ts'
import type { Value } from '../../register/state.ts'
import type { RegisterClient } from '../../replication/register-client.ts'
import { successorKey } from '../../rpc/key-order.ts'
import { nextRecords } from '../../scan/record-scan.ts'
import { NOT_REACHED, outcomeOf, TOO_FEW_ANSWERS } from './outcomes.ts'

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

type ReachedCluster = Pick<Cluster, 'client' | 'nodes'>

export type RegisterKeyStoreOptions = Readonly<{
  clock: Pick<Clock, 'nowMs' | 'after'>
  operationTimeoutMs: number
}>

export class RegisterKeyStore implements KeyStore {
  readonly #cluster: ReachedCluster
  readonly #options: RegisterKeyStoreOptions
  /** By it, each scan begins at the next node. */
  #turn = 0

  constructor(cluster: ReachedCluster, options: RegisterKeyStoreOptions) {
    this.#cluster = cluster
    this.#options = options
  }

  read(keyId: string): Promise<Outcome<ApiKey | undefined>> {
    return this.#ask((client) => client.read(API_KEY_NAMESPACE + keyId, keyOf))
  }

  change(keyId: string, command: KeyCommand): Promise<Outcome<KeyDecision>> {
    const decide = (value: Value): RegisterDecision<KeyDecision> => {
      const decision = command(keyOf(value))
      if (decision.kind !== 'changed') return { kind: 'keep', result: decision }
      const { key } = decision
      return { kind: 'propose', value: key === undefined ? undefined : encodeKey(key), result: decision }
    }
    return this.#ask((client) => client.submit(API_KEY_NAMESPACE + keyId, decide))
  }

  /** Lists the registers, and then reads each. There are few keys, so this need not be quick. */
  async scan({
    after,
    limit,
  }: Readonly<{ after: string | undefined; limit: number }>): Promise<Outcome<KeyPage>> {
    const { client, nodes } = this.#cluster
    if (client === undefined) return { kind: 'not_applied', reason: NOT_REACHED }
    const { clock, operationTimeoutMs: timeoutMs } = this.#options
    this.#turn += 1
    const page = await nextRecords({
      sources: nodes.map(({ transport, recipient, link }) => ({
        transport,
        recipient,
        isSuspect: link.isSuspect,
      })),
      start: after === undefined ? API_KEY_NAMESPACE : successorKey(API_KEY_NAMESPACE + after),
      end: API_KEY_NAMESPACE_END,
      limit,
      isQuorum: (answered) => client.isQuorum(answered),
      clock,
      timeoutMs,
      turn: this.#turn,
    })
    if (page === undefined) return { kind: 'not_applied', reason: TOO_FEW_ANSWERS }
    const keyIds = page.entries.slice(0, limit).map(({ key }) => key.slice(API_KEY_NAMESPACE.length))
    const isLast = page.nextStart === undefined && page.entries.length <= limit
    return this.#readAll(keyIds, isLast ? undefined : keyIds.at(-1))
  }

  async #readAll(keyIds: readonly string[], after: string | undefined): Promise<Outcome<KeyPage>> {
    const keys: ApiKey[] = []
    const unreadable: string[] = []
    for (const [index, outcome] of (await Promise.all(keyIds.map((keyId) => this.read(keyId)))).entries()) {
      if (outcome.kind === 'unreadable') unreadable.push(keyIds[index]!)
      else if (outcome.kind !== 'done') return outcome
      else if (outcome.value !== undefined) keys.push(outcome.value)
    }
    return { kind: 'done', value: unreadable.length === 0 ? { keys, after } : { keys, unreadable, after } }
  }

  async #ask<T>(ask: (client: RegisterClient) => Promise<RegisterOutcome<T>>): Promise<Outcome<T>> {
    const { client } = this.#cluster
    if (client === undefined) return { kind: 'not_applied', reason: NOT_REACHED }
    return outcomeOf(await ask(client), 'API key')
  }
}

function keyOf(value: Value): ApiKey | undefined {
  if (value === undefined) return undefined
  try {
    return decodeKey(value)
  } catch (cause) {
    throw new UnreadableValueError('a value is no API key', { cause })
  }
}
