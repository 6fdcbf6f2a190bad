/**
 * Makes CAs, and the certificates that they sign: with keys on the curve P-256, and signed with ECDSA and
 * SHA-256. Node.js can read certificates, but cannot make them.
 */
import 'reflect-metadata'
import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import * as x509 from '@peculiar/x509'

/** A certificate and its private key, both PEM. */
export type Pair = Readonly<{ cert: string; key: string }>

/** What is written into a certificate. */
export type Subject = Readonly<{
  commonName: string
  /** DNS names and IP addresses at which its holder is reached. */
  hosts: readonly string[]
  /** The URI that names its holder. */
  uri?: string
  /** Whether the holder is a server, a client, or both. */
  usages: readonly ('server' | 'client')[]
}>

const DAY_MS = 86_400_000
const CA_DAYS = 3_650
const LEAF_DAYS = 365
/** The clocks of two machines may differ by this much. */
const SKEW_MS = 3_600_000

const KEYS = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** A new CA. */
export async function issueCa(commonName: string, now: Date, days = CA_DAYS): Promise<Pair> {
  const keys = await webcrypto.subtle.generateKey(KEYS, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [commonName] }],
    keys,
    signingAlgorithm: KEYS,
    ...validity(now, days),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { cert: pemOf(certificate), key: await keyPemOf(keys.privateKey) }
}

/** A certificate with a new key, signed by a CA. It never outlives the CA. */
export async function issueLeaf(
  { commonName, hosts, uri, usages }: Subject,
  ca: Pair,
  now: Date,
  days = LEAF_DAYS,
): Promise<Pair> {
  const keys = await webcrypto.subtle.generateKey(KEYS, true, ['sign', 'verify'])
  const issuer = new x509.X509Certificate(ca.cert)
  const { notBefore, notAfter } = validity(now, days)
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [commonName] }],
    issuer: issuer.subjectName,
    publicKey: keys.publicKey,
    signingKey: await signingKeyOf(ca.key),
    signingAlgorithm: KEYS,
    notBefore,
    notAfter: notAfter < issuer.notAfter ? notAfter : issuer.notAfter,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(
        usages.map((usage) => x509.ExtendedKeyUsage[usage === 'server' ? 'serverAuth' : 'clientAuth']),
      ),
      new x509.SubjectAlternativeNameExtension([
        ...hosts.map((host) => ({
          type: isIP(host) === 0 ? ('dns' as const) : ('ip' as const),
          value: host,
        })),
        ...(uri === undefined ? [] : [{ type: 'url' as const, value: uri }]),
      ]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(await issuer.publicKey.export()),
    ],
  })
  return { cert: pemOf(certificate), key: await keyPemOf(keys.privateKey) }
}

function validity(now: Date, days: number): { notBefore: Date; notAfter: Date } {
  const ms = Math.floor(now.getTime() / 1_000) * 1_000
  return { notBefore: new Date(ms - SKEW_MS), notAfter: new Date(ms + days * DAY_MS) }
}

function pemOf(certificate: x509.X509Certificate): string {
  return new X509Certificate(Buffer.from(certificate.rawData)).toString()
}

async function keyPemOf(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key))
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    .export({ format: 'pem', type: 'pkcs8' })
    .toString()
}

function signingKeyOf(pem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' })
  return webcrypto.subtle.importKey('pkcs8', der, KEYS, false, ['sign'])
}
