/** An API key as the cluster keeps it, and the commands that change it. All is pure. */
import { type Caller, isWithin } from './caller.ts'
import type { GrantedRole } from './role.ts'

/** Times are ISO 8601 in UTC with milliseconds. Hashes are those of key-token.ts, in hexadecimal digits. */
export type ApiKey = Readonly<{
  /** The public id. */
  keyId: string
  name: string
  role: GrantedRole
  /** The key may read and change only groups whose id begins with this text. `undefined`: all groups. */
  prefix?: string
  hash: string
  /** After a rotation: the secret before it, which is taken until a time. */
  previous?: Readonly<{ hash: string; validUntil: string }>
  createdAt: string
  /** `ref` of the caller who created it. */
  createdBy: string
  rotatedAt?: string
  rotatedBy?: string
  /** `undefined`: it does not expire. */
  expiresAt?: string
  /** A time at which the key was used. The last use can be some minutes later. */
  lastUsedAt?: string
}>

/** Why a command was refused. `forbidden`: the key is outside the prefix of the caller. */
export type KeyRefusal = 'key_exists' | 'key_not_found' | 'forbidden'

/** What a command decides, as `Decision` for groups. `key` is the new state; `undefined`: deleted. */
export type KeyDecision =
  | Readonly<{ kind: 'changed'; key: ApiKey | undefined; answer: ApiKey }>
  | Readonly<{ kind: 'unchanged'; answer: ApiKey }>
  | Readonly<{ kind: 'refused'; refusal: KeyRefusal }>

export type KeyCommand = (key: ApiKey | undefined) => KeyDecision

/** The least time between two recorded uses of a key. Each costs a write. */
export const USE_INTERVAL_MS = 10 * 60_000

/** Whether a caller may see and change a key. A caller with a prefix may do so for keys within its prefix. */
export function mayManage({ prefix }: Caller, key: Pick<ApiKey, 'prefix'>): boolean {
  return isWithin(prefix, key.prefix ?? '')
}

/** Creates a key. Refusals: `key_exists`. */
export function createKey(key: ApiKey): KeyCommand {
  return (found) =>
    found === undefined ? { kind: 'changed', key, answer: key } : { kind: 'refused', refusal: 'key_exists' }
}

/** Revokes a key: deletes it. */
export function revokeKey(caller: Caller): KeyCommand {
  return managed(caller, (key) => ({ kind: 'changed', key: undefined, answer: key }))
}

export type Rotation = Readonly<{
  /** The hash of the new secret. */
  hash: string
  now: string
  /** Until when the old secret is taken too. `undefined`: it is not taken any more. */
  previousUntil: string | undefined
  /** The new expiry. `undefined`: the expiry stays. */
  expiresAt: string | undefined
}>

/** Gives a key another secret. */
export function rotateKey(caller: Caller, { hash, now, previousUntil, expiresAt }: Rotation): KeyCommand {
  return managed(caller, ({ previous: _, ...key }) => {
    const rotated: ApiKey = {
      ...key,
      hash,
      ...(previousUntil === undefined ? {} : { previous: { hash: key.hash, validUntil: previousUntil } }),
      rotatedAt: now,
      rotatedBy: caller.ref,
      ...(expiresAt === undefined ? {} : { expiresAt }),
    }
    return { kind: 'changed', key: rotated, answer: rotated }
  })
}

/** Records that a key was used, unless a use not long before is recorded. A revoked key stays revoked. */
export function recordUse(usedAt: string): KeyCommand {
  return (key) => {
    if (key === undefined) return { kind: 'refused', refusal: 'key_not_found' }
    const { lastUsedAt } = key
    const isRecent = lastUsedAt !== undefined && Date.parse(usedAt) - Date.parse(lastUsedAt) < USE_INTERVAL_MS
    if (isRecent) return { kind: 'unchanged', answer: key }
    const used = { ...key, lastUsedAt: usedAt }
    return { kind: 'changed', key: used, answer: used }
  }
}

function managed(caller: Caller, decide: (key: ApiKey) => KeyDecision): KeyCommand {
  return (key) => {
    if (key === undefined) return { kind: 'refused', refusal: 'key_not_found' }
    return mayManage(caller, key) ? decide(key) : { kind: 'refused', refusal: 'forbidden' }
  }
}
