import type { X509Certificate } from 'node:crypto'
import { type Expiry, expiryNotice } from '../tls/expiry.ts'
import type { TlsFiles } from '../tls/tls-files.ts'

/** The largest number of nodes whose certificates are remembered. */
const NODES_MAX = 64

/** Says which certificates expire soon: those of this process, and those that nodes have shown to it. */
export class CertificateNotices {
  readonly #files: readonly Pick<TlsFiles, 'expiries'>[]
  readonly #now: () => Date
  /** By address, the one that was seen last at the end. */
  readonly #nodes = new Map<string, Expiry>()

  constructor(files: readonly Pick<TlsFiles, 'expiries'>[], now: () => Date) {
    this.#files = files
    this.#now = now
  }

  /** Notes the certificate that the node at an address has shown. */
  note(address: string, { subject, validToDate }: Pick<X509Certificate, 'subject' | 'validToDate'>): void {
    this.#nodes.delete(address)
    this.#nodes.set(address, {
      name: 'node',
      subject: `${subject} of the node ${address}`,
      expires: validToDate,
    })
    const [oldest] = this.#nodes.keys()
    if (this.#nodes.size > NODES_MAX) this.#nodes.delete(oldest!)
  }

  /** The notices, each a sentence without its full stop. `addresses`: the nodes that count. */
  of(addresses: readonly string[]): string[] {
    const now = this.#now()
    const nodes = addresses.flatMap((address) => this.#nodes.get(address) ?? [])
    return [...this.#files.flatMap(({ expiries }) => expiries), ...nodes].flatMap(
      (expiry) => expiryNotice(expiry, now) ?? [],
    )
  }
}
