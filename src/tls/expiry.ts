/** When certificates expire: reported from 30 days before, once a day. */
import type { Logger } from 'pino'
import type { TlsMaterial } from './material.ts'

/** When one certificate expires. */
export type Expiry = Readonly<{
  /** Which certificate: `node`, `node_ca`, `api` or `client_ca`. */
  name: string
  subject: string
  expires: Date
}>

const DAY_MS = 86_400_000

/** How long before its end a certificate is reported. */
export const EXPIRY_NOTICE_MS = 30 * DAY_MS

/** The certificate of a process, and the CA that expires last: an old CA may expire before it is removed. */
export function expiriesOf(name: string, { certificate, authorities }: TlsMaterial): readonly Expiry[] {
  const last = authorities.reduce<(typeof authorities)[number] | undefined>(
    (latest, ca) => (latest === undefined || ca.validToDate > latest.validToDate ? ca : latest),
    undefined,
  )
  const own = { name, subject: oneLine(certificate.subject), expires: certificate.validToDate }
  if (last === undefined) return [own]
  const caName = name === 'api' ? 'client_ca' : `${name}_ca`
  return [own, { name: caName, subject: oneLine(last.subject), expires: last.validToDate }]
}

/** Why a certificate needs attention, as a sentence without its full stop. `undefined`: it does not. */
export function expiryNotice({ name, subject, expires }: Expiry, now: Date): string | undefined {
  const leftMs = expires.getTime() - now.getTime()
  if (leftMs > EXPIRY_NOTICE_MS) return undefined
  const what = `the ${NAMES[name] ?? name} ${subject}`
  const remedy = remedyFor(name, leftMs)
  const day = expires.toISOString().slice(0, 10)
  if (leftMs <= 0) return `${what} expired on ${day}, and is refused by everybody: ${remedy}`
  const days = Math.floor(leftMs / DAY_MS)
  return `${what} expires in ${days} ${days === 1 ? 'day' : 'days'}, on ${day}: ${remedy}`
}

/** When a CA is over, nobody trusts it any more, so that an overlap with a new one is of no use. */
function remedyFor(name: string, leftMs: number): string {
  if (!name.endsWith('ca')) return 'run "cohort certs renew"'
  return leftMs > 0
    ? 'make a new CA with "cohort certs renew --new-ca"'
    : 'begin anew with "cohort certs init --replace"'
}

const NAMES: Readonly<Record<string, string>> = {
  node: 'certificate for the connections between connectors and nodes',
  node_ca: 'CA for the connections between connectors and nodes',
  api: 'certificate of the API',
  client_ca: 'CA of the clients of the API',
}

export type ExpiryLogOptions = Readonly<{ now: () => Date; logger: Pick<Logger, 'warn' | 'error'> }>

/** Logs the notices of certificates, each at most once a day. */
export class ExpiryLog {
  readonly #options: ExpiryLogOptions
  /** By the name of the certificate: the notice that was logged, and its day. */
  readonly #logged = new Map<string, string>()

  constructor(options: ExpiryLogOptions) {
    this.#options = options
  }

  check(expiries: readonly Expiry[]): void {
    const { now, logger } = this.#options
    const at = now()
    for (const expiry of expiries) {
      const notice = expiryNotice(expiry, at)
      const entry = `${at.toISOString().slice(0, 10)} ${expiry.subject} ${expiry.expires.getTime()}`
      if (notice === undefined || this.#logged.get(expiry.name) === entry) continue
      this.#logged.set(expiry.name, entry)
      if (expiry.expires <= at) logger.error(notice)
      else logger.warn(notice)
    }
  }
}

/** Node.js writes a subject in several lines. */
function oneLine(subject: string): string {
  return subject.replaceAll('\n', ', ')
}
