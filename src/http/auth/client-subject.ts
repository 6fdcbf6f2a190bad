import type { Socket } from 'node:net'
import { certificateOf } from '../https.ts'

/** By connection, because a certificate is costly to read; `null`: the client has shown none. */
const subjects = new WeakMap<Socket, string | null>()

/** The subject of the certificate that the client of a connection has shown. `undefined`: no valid one. */
export function clientSubjectOf(connection: Socket): string | undefined {
  let subject = subjects.get(connection)
  if (subject === undefined) {
    const certificate = certificateOf(connection)
    subject = certificate === undefined ? null : formatSubject(certificate.subject)
    subjects.set(connection, subject)
  }
  return subject ?? undefined
}

/**
 * The subject as in RFC 4514, the last part first. Node.js has a line for each part, in the order of the
 * certificate, with special characters escaped.
 */
export function formatSubject(lines: string | undefined): string {
  return (lines ?? '').split('\n').reverse().join(',')
}
