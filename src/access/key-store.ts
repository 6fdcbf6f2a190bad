import type { Outcome } from '../group/registry.ts'
import type { ApiKey, KeyCommand, KeyDecision } from './api-key.ts'

/** One page of a list of keys, in the order of their ids. `after` is as for groups. */
export type KeyPage = Readonly<{
  keys: readonly ApiKey[]
  /** The ids of keys that exist but cannot be read. Left out when there are none. */
  unreadable?: readonly string[]
  after: string | undefined
}>

/** Keeps API keys, for any engine. Each method is as the one of `Registry` with the same name. */
export interface KeyStore {
  read(keyId: string): Promise<Outcome<ApiKey | undefined>>
  change(keyId: string, command: KeyCommand): Promise<Outcome<KeyDecision>>
  scan(options: Readonly<{ after: string | undefined; limit: number }>): Promise<Outcome<KeyPage>>
}
