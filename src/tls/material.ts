/** Reads a certificate, its key and the certificates of CAs from files, and checks that they fit together. */
import { constants, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureContext } from 'node:tls'
import { type Identity, identityOf } from './identity.ts'

/**
 * The option of servers that ask for certificates. Who comes back with the session of an earlier connection
 * shows no certificate again, so an expired one would be taken for as long as the session lasts (two hours).
 * Every connection makes a whole handshake instead.
 */
export const NO_RESUMPTION = constants.SSL_OP_NO_TICKET

/** The files of one TLS endpoint. */
export type TlsPaths = Readonly<{
  /** The certificate; after it, the certificates between it and its CA, if there are some. PEM. */
  certFile: string
  /** Its private key, PEM. */
  keyFile: string
  /** The CAs that sign the certificates of the other side, PEM. `undefined`: the other side needs none. */
  caFile: string | undefined
}>

/** What the files hold, read at one moment. */
export type TlsMaterial = Readonly<{
  cert: Buffer
  key: Buffer
  ca: Buffer | undefined
  certificate: X509Certificate
  /** The CAs of `ca`. */
  authorities: readonly X509Certificate[]
  /** Who `certificate` belongs to. `undefined`: it names no process of a cluster. */
  identity: Identity | undefined
  /** For connections by TLS 1.3. */
  context: SecureContext
}>

/** Files that cannot be used. The message is a sentence without its full stop, and says why. */
export class TlsFileError extends Error {
  override readonly name = 'TlsFileError'
}

/** @throws TlsFileError */
export function readMaterial({ certFile, keyFile, caFile }: TlsPaths): TlsMaterial {
  const cert = read(certFile)
  const key = read(keyFile)
  const ca = caFile === undefined ? undefined : read(caFile)
  const [certificate] = certificatesIn(cert, certFile)
  const authorities = ca === undefined ? [] : certificatesIn(ca, caFile!)
  try {
    const context = createSecureContext({
      cert,
      key,
      ...(ca === undefined ? {} : { ca }),
      minVersion: 'TLSv1.3',
    })
    return {
      cert,
      key,
      ca,
      certificate: certificate!,
      authorities,
      identity: identityOf(certificate!),
      context,
    }
  } catch (cause) {
    throw new TlsFileError(
      `${certFile} and ${keyFile} cannot be used together: ${(cause as Error).message}`,
      { cause },
    )
  }
}

/** The certificates of a PEM file, at least one. @throws TlsFileError */
export function certificatesIn(pem: Buffer, file: string): X509Certificate[] {
  const blocks = pem.toString('latin1').match(CERTIFICATE) ?? []
  if (blocks.length === 0) throw new TlsFileError(`${file} holds no certificate in PEM`)
  return blocks.map((block) => {
    try {
      return new X509Certificate(block)
    } catch (cause) {
      throw new TlsFileError(`${file} holds a certificate that cannot be read: ${(cause as Error).message}`, {
        cause,
      })
    }
  })
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

/**
 * Whether one of the CAs has signed a certificate, or one of the certificates with which its holder has
 * connected it to the CA.
 */
export function isSignedBy(authorities: readonly X509Certificate[], certificate: X509Certificate): boolean {
  let link: X509Certificate | undefined = certificate
  for (let depth = 0; link !== undefined && depth < CHAIN_LENGTH_MAX; depth += 1) {
    const current: X509Certificate = link
    if (authorities.some((ca) => current.checkIssued(ca) && current.verify(ca.publicKey))) return true
    link = current.issuerCertificate
  }
  return false
}

const CHAIN_LENGTH_MAX = 8

function read(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    throw new TlsFileError(`${file} cannot be read (${code ?? message})`, { cause })
  }
}
