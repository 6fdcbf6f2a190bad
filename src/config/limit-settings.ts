/** What a connector takes from its clients at most, and who may use it from a browser. */
import { absolutePath, type Find, type Found, mismatch, readWhole, required } from './lookup.ts'

export type LimitSettings = Readonly<{
  /** How many connections are open at most. */
  maxConnections: number
  /** How many requests each caller may send to one connector in a second. `undefined`: any number. */
  ratePerSecond: number | undefined
  /** The origins whose pages may use the API from a browser; `*`: all. */
  corsOrigins: readonly string[]
  /** The absolute path of the audit log; `-`: stdout. `undefined`: there is none. */
  auditLog: string | undefined
}>

const MAX_CONNECTIONS = { default: 16_384, min: 1, max: 1_000_000 }
const RATE = { default: 0, min: 1, max: 1_000_000 }

/** @throws SettingError */
export function readLimitSettings(find: Find): LimitSettings {
  const rate = find('RATE_LIMIT')
  const isLimited = rate !== undefined && rate.text !== ''
  return {
    maxConnections: readWhole(find('MAX_CONNECTIONS'), MAX_CONNECTIONS),
    ratePerSecond: isLimited ? readWhole(rate, RATE) : undefined,
    corsOrigins: readOrigins(find('CORS_ORIGINS')),
    auditLog: readAuditLog(find('AUDIT_LOG')),
  }
}

function readOrigins(found: Found | undefined): readonly string[] {
  if (found === undefined) return []
  const origins = found.text.split(/[\s,]+/).filter((text) => text !== '')
  for (const origin of origins) {
    if (origin !== '*' && URL.parse(origin)?.origin !== origin) {
      throw mismatch(found, 'origins like https://ui.example, separated by commas, or *')
    }
  }
  return Object.freeze(origins)
}

function readAuditLog(found: Found | undefined): string | undefined {
  if (found === undefined || found.text === '') return undefined
  if (found.text === '-') return '-'
  return absolutePath(required(found, 'AUDIT_LOG', 'a file, or - for stdout'))
}
