import type { Logger } from 'pino'
import { systemClock } from '../process/clock.ts'
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
  const reports = new RepeatedReports(systemClock)
  const onJudged = (address: string, problem: string | undefined) => {
    if (problem === undefined) return
    reports.report(`${address} ${problem}`, (leftOut) =>
      logger.warn({ address, leftOut }, `a node was refused: ${problem}`),
    )
  }
  return {
    security: (address) =>
      nodeChannel(files.current, address, {
        onJudged: (certificate, problem) => {
          notices.note(address, certificate)
          onJudged(address, problem)
        },
      }),
  }
}
