/** HTTPS: the public API with the certificate of files that may change. */
import type { Server as HttpServer } from 'node:http'
import type { Server, ServerOptions } from 'node:https'
import type { Socket } from 'node:net'
import { TLSSocket, type TlsOptions } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import { isSignedBy, NO_RESUMPTION, type TlsMaterial } from '../tls/material.ts'
import type { TlsFiles } from '../tls/tls-files.ts'

/** The certificate of the API and the CAs of its clients. */
export type ApiCertificates = Pick<TlsFiles, 'current' | 'onChange'>

const HANDSHAKE_TIMEOUT_MS = 5_000

/** For a year: a browser that was here once speaks only HTTPS to this host. */
const STRICT_TRANSPORT = 'max-age=31536000'

/**
 * The options of the server. If there are CAs of clients, a client is asked for a certificate. It may show
 * none; `certificateOf` returns only one that is valid.
 */
export function httpsOptions({ current }: ApiCertificates): ServerOptions {
  return {
    ...contextOf(current),
    requestCert: current.ca !== undefined,
    rejectUnauthorized: false,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  }
}

/** Uses changed files for new connections, and tells browsers to stay with HTTPS. */
export function serveHttps(app: FastifyInstance, certificates: ApiCertificates): void {
  const server = app.server as HttpServer as Server
  const connections = new Set<TLSSocket>()
  server.on('secureConnection', (connection) => {
    connections.add(connection)
    connection.once('close', () => connections.delete(connection))
  })
  certificates.onChange((material) => {
    server.setSecureContext(contextOf(material))
    // A client whose CA has been removed would stay known on a connection that is open.
    for (const connection of connections) {
      const certificate = certificateOf(connection)
      if (certificate !== undefined && !isSignedBy(material.authorities, certificate)) connection.destroy()
    }
  })
  app.addHook('onRequest', (_request, reply, done) => {
    reply.header('strict-transport-security', STRICT_TRANSPORT)
    done()
  })
}

/** The certificate that the client of a connection has shown, if it is valid and one of the CAs signed it. */
export function certificateOf(connection: Socket): ReturnType<TLSSocket['getPeerX509Certificate']> {
  return connection instanceof TLSSocket && connection.authorized
    ? connection.getPeerX509Certificate()
    : undefined
}

function contextOf({ cert, key, ca }: TlsMaterial): TlsOptions {
  return {
    cert,
    key,
    minVersion: 'TLSv1.2',
    ...(ca === undefined ? {} : { ca, secureOptions: NO_RESUMPTION }),
  }
}
