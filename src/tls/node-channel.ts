/** How a connector, a command or a health check speaks to a node by TLS: each side proves who it is. */
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js'
import { type Identity, identityOf } from './identity.ts'
import type { TlsMaterial } from './material.ts'

/** How the connections of one gRPC client are encrypted. */
export type ChannelSecurity = Readonly<{ credentials: ChannelCredentials; options: ChannelOptions }>

/** Why the holder of a certificate is not the right one, as a sentence without its full stop. */
export type Judge = (
  identity: Identity | undefined,
  certificate: X509Certificate,
  host: string,
) => string | undefined

/** RFC 6066 allows no IP address as the name of a server. Nodes do not look at the name. */
const NAME_OF_ADDRESS = 'node.invalid'

/**
 * The security of a client of the node at `address` (host:port).
 *
 * @param onJudged called with the certificate of the node in each handshake, and with what is wrong with it
 */
export function nodeChannel(
  { context, identity }: TlsMaterial,
  address: string,
  {
    judge = memberOf(identity),
    onJudged = () => {},
  }: Readonly<{
    judge?: Judge
    onJudged?: (certificate: X509Certificate, problem: string | undefined) => void
  }> = {},
): ChannelSecurity {
  const host = address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  const check = (_name: string, { raw }: PeerCertificate): Error | undefined => {
    const certificate = new X509Certificate(raw)
    const problem = judge(identityOf(certificate), certificate, host)
    onJudged(certificate, problem)
    return problem === undefined ? undefined : new Error(problem)
  }
  return {
    credentials: credentials.createFromSecureContext(context, { checkServerIdentity: check }),
    options: isIP(host) === 0 ? {} : { 'grpc.ssl_target_name_override': NAME_OF_ADDRESS },
  }
}

/** Fits a node of the same cluster whose certificate is for the host that was meant. */
function memberOf(own: Identity | undefined): Judge {
  return (identity, certificate, host) => {
    if (identity === undefined) return 'the certificate names no process of a cluster'
    if (identity.cluster !== own?.cluster) {
      return `the certificate is of the cluster ${identity.cluster}, and not of ${own?.cluster}`
    }
    if (identity.kind !== 'node') return `the certificate is of a ${identity.kind}, and not of a node`
    return checkServerIdentity(host, certificate.toLegacyObject())?.message
  }
}

/** Fits the process itself: it may be asked at any of its addresses, such as 127.0.0.1. */
export function itself(own: Identity | undefined): Judge {
  return (identity) =>
    identity !== undefined && own !== undefined && isSame(identity, own)
      ? undefined
      : 'the certificate is not that of this node'
}

function isSame(a: Identity, b: Identity): boolean {
  return a.cluster === b.cluster && a.kind === b.kind && a.name === b.name
}
