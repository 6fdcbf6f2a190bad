import type { ApiKey, KeyCommand, KeyDecision } from '../../src/access/api-key.ts'
import { decodeKey, encodeKey } from '../../src/access/api-key-codec.ts'
import type { KeyPage, KeyStore } from '../../src/access/key-store.ts'
import type { Outcome } from '../../src/group/registry.ts'

/** API keys in memory, for tests: it runs the real commands, and stores what the real codec makes. */
export class MemoryKeyStore implements KeyStore {
  readonly #keys = new Map<string, Uint8Array>()
  /** Every further operation ends like this; `undefined`: they work again. */
  failure: Exclude<Outcome<never>, { kind: 'done' }> | undefined
  readCount = 0

  async read(keyId: string): Promise<Outcome<ApiKey | undefined>> {
    this.readCount += 1
    return this.failure ?? { kind: 'done', value: this.#keyOf(keyId) }
  }

  async change(keyId: string, command: KeyCommand): Promise<Outcome<KeyDecision>> {
    if (this.failure !== undefined) return this.failure
    const decision = command(this.#keyOf(keyId))
    if (decision.kind === 'changed') {
      if (decision.key === undefined) this.#keys.delete(keyId)
      else this.#keys.set(keyId, encodeKey(decision.key))
    }
    return { kind: 'done', value: decision }
  }

  async scan({
    after = '',
    limit,
  }: Readonly<{ after: string | undefined; limit: number }>): Promise<Outcome<KeyPage>> {
    if (this.failure !== undefined) return this.failure
    const rest = [...this.#keys.keys()].sort().filter((keyId) => keyId > after)
    const page = rest.slice(0, limit)
    const keys = page.map((keyId) => this.#keyOf(keyId)!)
    return { kind: 'done', value: { keys, after: page.length < rest.length ? page.at(-1) : undefined } }
  }

  /** From now on there is only this key. */
  reset(key: ApiKey): void {
    this.#keys.clear()
    this.#keys.set(key.keyId, encodeKey(key))
  }

  /** Everything that is stored, as text. */
  get text(): string {
    return [...this.#keys.values()].map((value) => Buffer.from(value).toString()).join('\n')
  }

  #keyOf(keyId: string): ApiKey | undefined {
    const value = this.#keys.get(keyId)
    return value === undefined ? undefined : decodeKey(value)
  }
}
