import type { Logger } from 'pino'
import type { Clock } from '../process/clock.ts'
import type { Identity } from './identity.ts'
import type { TlsPaths } from './material.ts'
import { TlsFiles } from './tls-files.ts'

export type NodeFilesOptions = Readonly<{
  clock: Pick<Clock, 'after'>
  now: () => Date
  logger: Pick<Logger, 'info' | 'warn' | 'error'>
}>

/**
 * The files with which a process speaks to the others of its cluster. Its own certificate must be that of a
 * process of this kind, and stay in the same cluster when it is renewed.
 *
 * @throws {FaultError} when the files cannot be used
 */
export function openNodeTls(paths: TlsPaths, kind: Identity['kind'], options: NodeFilesOptions): TlsFiles {
  let cluster: string | undefined
  return new TlsFiles({
    ...options,
    paths,
    name: 'node',
    objection: ({ identity }) => {
      if (identity?.kind !== kind) {
        const found = identity === undefined ? 'of no process of a cluster' : `of a ${identity.kind}`
        return `is the certificate ${found}, and a ${kind} needs one of a ${kind}`
      }
      if (cluster !== undefined && identity.cluster !== cluster) {
        return `is of the cluster ${identity.cluster}, and this process belongs to ${cluster}`
      }
      cluster = identity.cluster
      return undefined
    },
  })
}
