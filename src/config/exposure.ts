import { isLoopback } from '../process/address.ts'
import type { Find } from './lookup.ts'
import { mismatch } from './lookup.ts'
import { SettingError } from './setting-error.ts'

/** What other machines could do if a process listened without protection, and how to protect it. */
export type Exposure = Readonly<{
  /** The address to listen on. */
  host: string
  /** What anyone who reaches the port could do, as the end of a sentence: "anyone could change its data". */
  danger: string
  /** What to do, as an imperative: "set TLS_CERT_FILE and TLS_KEY_FILE". */
  remedy: string
}>

/**
 * Refuses to listen where other machines connect, without protection: unless INSECURE allows it. Call it only
 * if the protection is missing.
 *
 * @throws SettingError
 */
export function refuseExposure(find: Find, { host, danger, remedy }: Exposure): void {
  if (isLoopback(host) || readInsecure(find)) return
  const where = find('HOST')?.label ?? 'HOST'
  throw new SettingError(
    `${where} is ${host}, where other machines can connect, and then ${danger}: ${remedy}, or listen on 127.0.0.1 ` +
      '(--host), or allow it with --insecure (INSECURE=true)',
  )
}

/** Whether the operator allows to listen without protection. @throws SettingError */
export function readInsecure(find: Find): boolean {
  const found = find('INSECURE')
  if (found === undefined) return false
  const text = found.text.trim().toLowerCase()
  if (text !== 'true' && text !== 'false') throw mismatch(found, '"true" or "false"')
  return text === 'true'
}
