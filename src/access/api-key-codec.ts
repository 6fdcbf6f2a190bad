import type { ApiKey } from './api-key.ts'
import { isGrantedRole } from './role.ts'

/** The bytes that a register stores for a key: JSON in UTF-8. */
export function encodeKey(key: ApiKey): Uint8Array {
  return Buffer.from(JSON.stringify(key))
}

/** The key in bytes that `encodeKey` made. @throws Error for all other bytes */
export function decodeKey(value: Uint8Array): ApiKey {
  const decoded: unknown = JSON.parse(Buffer.from(value).toString())
  if (!isKey(decoded)) throw new TypeError('the bytes are not an API key')
  return decoded
}

/** Whether every field has the type on which the rest of the program relies. */
function isKey(decoded: unknown): decoded is ApiKey {
  if (typeof decoded !== 'object' || decoded === null) return false
  const key = decoded as Readonly<Record<keyof ApiKey, unknown>>
  return (
    [key.keyId, key.name, key.createdBy].every((text) => typeof text === 'string') &&
    typeof key.role === 'string' &&
    isGrantedRole(key.role) &&
    isOptional(key.prefix, (prefix) => typeof prefix === 'string') &&
    isHash(key.hash) &&
    isOptional(key.previous, isPrevious) &&
    isTime(key.createdAt) &&
    [key.rotatedAt, key.expiresAt, key.lastUsedAt].every((time) => isOptional(time, isTime)) &&
    isOptional(key.rotatedBy, (ref) => typeof ref === 'string')
  )
}

function isPrevious(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { hash, validUntil } = value as { hash?: unknown; validUntil?: unknown }
  return isHash(hash) && isTime(validUntil)
}

function isOptional(value: unknown, isOf: (value: unknown) => boolean): boolean {
  return value === undefined || isOf(value)
}

function isHash(value: unknown): boolean {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value))
}
