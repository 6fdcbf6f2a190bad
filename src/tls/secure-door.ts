/**
 * The TLS side of a port that only processes of one cluster may use. A connection is handed on when its
 * handshake has shown a certificate of this cluster. All others are ended, before a byte of them is read as
 * anything else.
 */
import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { formatAddress } from '../process/address.ts'
import { type Identity, identityOf } from './identity.ts'
import { isSignedBy, NO_RESUMPTION, type TlsMaterial } from './material.ts'
import type { TlsFiles } from './tls-files.ts'

export type SecureDoorOptions = Readonly<{
  files: Pick<TlsFiles, 'current' | 'onChange'>
  /** Takes a connection whose other side has proved who it is. */
  onConnection: (connection: TLSSocket, identity: Identity) => void
  /** Called with each connection that was refused. `reason` is a sentence without its full stop. */
  onRefused: (peer: string, reason: string) => void
  /** How long a handshake may take, in milliseconds. */
  handshakeTimeoutMs?: number
  /** How many handshakes may be under way. When there are more, the oldest one is ended. */
  handshakesMax?: number
}>

const HANDSHAKE_TIMEOUT_MS = 5_000
const HANDSHAKES_MAX = 256

export class SecureDoor {
  readonly #options: SecureDoorOptions
  readonly #server: Server
  /** By the address of the other side: connections whose handshake is under way, the oldest first. */
  readonly #shaking = new Map<string, Socket>()
  readonly #handshakesMax: number
  /** Connections that were handed on, with the certificate of the other side. */
  readonly #admitted = new Map<TLSSocket, X509Certificate>()

  constructor(options: SecureDoorOptions) {
    const { files, handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS, handshakesMax = HANDSHAKES_MAX } = options
    this.#options = options
    this.#handshakesMax = handshakesMax
    this.#server = createServer({
      ...contextOf(files.current),
      requestCert: true,
      rejectUnauthorized: true,
      ALPNProtocols: ['h2'],
      handshakeTimeout: handshakeTimeoutMs,
    })
    this.#server.on('secureConnection', (connection) => this.#admit(connection))
    this.#server.on('tlsClientError', (error, connection) => {
      const reason = handshakeProblem(error, connection)
      if (reason !== undefined) options.onRefused(peerOf(connection), reason)
      connection.destroy()
    })
    files.onChange((material) => this.#renew(material))
  }

  /** Takes a new connection. */
  accept(connection: Socket): void {
    const peer = peerOf(connection)
    this.#shaking.set(peer, connection)
    connection.once('close', () => {
      if (this.#shaking.get(peer) === connection) this.#shaking.delete(peer)
    })
    if (this.#shaking.size > this.#handshakesMax) this.#endOldest()
    this.#server.emit('connection', connection)
  }

  #admit(connection: TLSSocket): void {
    this.#shaking.delete(peerOf(connection))
    const certificate = connection.getPeerX509Certificate()
    const identity = certificate === undefined ? undefined : identityOf(certificate)
    const reason =
      this.#objection(identity) ?? (connection.alpnProtocol === 'h2' ? undefined : 'it does not speak HTTP/2')
    if (reason !== undefined) {
      this.#options.onRefused(peerOf(connection), reason)
      connection.destroy()
      return
    }
    this.#admitted.set(connection, certificate!)
    connection.once('close', () => this.#admitted.delete(connection))
    // Without a listener, a connection that breaks would end the process.
    connection.on('error', () => connection.destroy())
    this.#options.onConnection(connection, identity!)
  }

  #endOldest(): void {
    const [peer, oldest] = this.#shaking.entries().next().value!
    this.#shaking.delete(peer)
    this.#options.onRefused(peer, 'too many handshakes were under way, and this one was the oldest')
    oldest.destroy()
  }

  #objection(identity: Identity | undefined): string | undefined {
    if (identity === undefined) return 'its certificate names no process of a cluster'
    const own = this.#options.files.current.identity
    if (identity.cluster === own?.cluster) return undefined
    return `its certificate is of the cluster ${identity.cluster}, and not of ${own?.cluster}`
  }

  /** Uses new files for new connections, and ends connections of holders that are no longer trusted. */
  #renew(material: TlsMaterial): void {
    this.#server.setSecureContext(contextOf(material))
    for (const [connection, certificate] of this.#admitted) {
      if (isSignedBy(material.authorities, certificate)) continue
      this.#options.onRefused(peerOf(connection), 'the CA of its certificate is no longer trusted')
      connection.destroy()
    }
  }
}

function contextOf({ cert, key, ca }: TlsMaterial) {
  return { cert, key, ca: ca!, minVersion: 'TLSv1.3' as const, secureOptions: NO_RESUMPTION }
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return remoteAddress === undefined ? 'a peer that has left' : formatAddress(remoteAddress, remotePort ?? 0)
}

/**
 * What was wrong with a handshake. `undefined`: the other side has left in the middle, as a scanner of ports
 * does, and a connection that this process has ended.
 */
function handshakeProblem(
  { code, message }: NodeJS.ErrnoException,
  { authorizationError }: Pick<TLSSocket, 'authorizationError'>,
): string | undefined {
  const problem = (authorizationError as unknown as string | null) ?? code
  if (problem === 'ECONNRESET') return undefined
  return PROBLEMS[problem ?? ''] ?? `the TLS handshake failed (${problem ?? message})`
}

const PROBLEMS: Readonly<Record<string, string>> = {
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'it showed no certificate',
  ERR_SSL_HTTP_REQUEST: 'it speaks plain HTTP, and this port takes TLS only',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'it does not speak TLS 1.3',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'its TLS handshake took too long',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet: compare the clocks',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by no CA of this cluster',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by no CA of this cluster',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by no CA of this cluster',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is signed by no CA of this cluster',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by no CA of this cluster',
  INVALID_PURPOSE: 'its certificate is not for clients',
}
