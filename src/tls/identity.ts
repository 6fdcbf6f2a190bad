/**
 * Who holds a certificate. The certificates of nodes and connectors name their cluster in a URI, so that a
 * certificate of another cluster does not fit, even if the same CA has signed it.
 */
import type { X509Certificate } from 'node:crypto'

export type Identity = Readonly<{
  /** The name of the cluster in certificates. It is not the id that a cluster draws at its birth. */
  cluster: string
  kind: 'node' | 'connector'
  /** The name of the process in its cluster. */
  name: string
}>

/** What the name of a cluster in certificates may be. */
export const CLUSTER_NAME = /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/

const URI = /^cohort:\/\/([a-z0-9.-]{1,63})\/(node|connector)\/([\w.~%:-]{1,253})$/

/** The URI that a certificate of this holder names. */
export function uriOf({ cluster, kind, name }: Identity): string {
  return `cohort://${cluster}/${kind}/${encodeURIComponent(name)}`
}

/** `undefined`: the certificate names no holder, or more than one. */
export function identityOf(certificate: Pick<X509Certificate, 'subjectAltName'>): Identity | undefined {
  const uris = namesOf(certificate).flatMap(({ type, value }) => (type === 'URI' ? [value] : []))
  const ours = uris.filter((uri) => uri.startsWith('cohort:'))
  const [, cluster, kind, name] = URI.exec(ours[0] ?? '') ?? []
  if (ours.length !== 1 || cluster === undefined || !CLUSTER_NAME.test(cluster)) return undefined
  const decoded = decode(name!)
  return decoded === undefined ? undefined : { cluster, kind: kind as Identity['kind'], name: decoded }
}

/** One name of a certificate, such as `{ type: 'DNS', value: 'node1' }`. */
export type AlternativeName = Readonly<{ type: string; value: string }>

/**
 * The alternative names of a certificate. Node.js separates them by commas, and writes a name that holds a
 * comma or a quote as a JSON string. Such names are left out, so that no name can pretend to be two.
 */
export function namesOf({
  subjectAltName,
}: Pick<X509Certificate, 'subjectAltName'>): readonly AlternativeName[] {
  const entries = (subjectAltName ?? '').matchAll(/(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g)
  return [...entries].flatMap(([, type, value]) =>
    value!.startsWith('"') ? [] : [{ type: type!, value: value! }],
  )
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
