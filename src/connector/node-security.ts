import type { X509Certificate } from 'node:crypto'
import type { Logger } from 'pino'
import { type Clock, systemClock } from '../process/clock.ts'
import { RepeatedReports } from '../process/repeated-reports.ts'
import type { GrpcOptions } from '../rpc/grpc-transport.ts'
import { nodeChannel } from '../tls/node-channel.ts'
import type { TlsFiles } from '../tls/tls-files.ts'
import type { CertificateNotices } from './certificate-notices.ts'

/** Connections to nodes by TLS, with the files as they are when the connection is made. */
export function securityOf(
  files: Pick<TlsFiles, 'current'>,
  logger: Pick<Logger, 'warn'>,
  notices: Pick<CertificateNotices, 'note'>,
): Required<Pick<GrpcOptions, 'security'>> {
  const note = judgements(logger, notices, systemClock)
  return {
    security: (address) =>
      nodeChannel(files.current, address, {
        onJudged: (certificate, problem) => note(address, certificate, problem),
      }),
  }
}

/** Remembers the certificate that a node has shown, and logs why the node was refused. */
export function judgements(
  logger: Pick<Logger, 'warn'>,
  notices: Pick<CertificateNotices, 'note'>,
  clock: Pick<Clock, 'nowMs'>,
): (address: string, certificate: X509Certificate, problem: string | undefined) => void {
  const reports = new RepeatedReports(clock)
  return (address, certificate, problem) => {
    notices.note(address, certificate)
    if (problem === undefined) return
    reports.report(`${address} ${problem}`, (leftOut) =>
      logger.warn({ address, leftOut }, `a node was refused: ${problem}`),
    )
  }
}
