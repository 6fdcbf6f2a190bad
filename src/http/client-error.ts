/**
 * Answers on bare connections: to what Node does not make a request of for Fastify. Each closes its
 * connection.
 */
import type { Socket } from 'node:net'
import { PROBLEMS, type ProblemCode } from '../api/problem-codes.ts'
import { PROBLEM_MEDIA_TYPE, type ProblemExtras, problemOf } from './problem.ts'
import { REQUEST_ID_HEADER } from './request-id.ts'

/** An error of Node's HTTP parser. `rawPacket`: the bytes that it was reading. */
export type ParserError = Error & { code?: string; rawPacket?: Buffer }

/**
 * Answers bytes that Node's HTTP parser could not read as a request.
 *
 * @returns the status of the answer; `undefined` when there is nobody to answer
 */
export function answerClientError(error: ParserError, socket: Socket, requestId: string): number | undefined {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return undefined
  }
  const isUnknownMethod =
    error.code === 'HPE_INVALID_METHOD' && REQUEST_LINE.test(error.rawPacket?.toString('latin1') ?? '')
  const code = isUnknownMethod ? 'method_not_implemented' : (CODES[error.code ?? ''] ?? 'invalid_http')
  return endWithProblem(socket, code, requestId)
}

/**
 * Answers CONNECT, which asks for a tunnel. Node's server hands such a request over as a bare connection (its
 * event `connect`), and closes it without an answer when nobody takes it.
 *
 * @returns the status of the answer
 */
export function answerConnect(socket: Socket, requestId: string): number {
  // The client may be gone before the answer.
  socket.on('error', () => socket.destroy())
  return endWithProblem(socket, 'method_not_implemented', requestId, { detail: 'This is no proxy.' })
}

function endWithProblem(
  socket: Socket,
  code: ProblemCode,
  requestId: string,
  extras?: ProblemExtras,
): number {
  const body = JSON.stringify(problemOf(code, requestId, extras))
  const { status, title } = PROBLEMS[code]
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    `content-type: ${PROBLEM_MEDIA_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `${REQUEST_ID_HEADER}: ${requestId}`,
    'connection: close',
  ].join('\r\n')
  socket.end(`${head}\r\n\r\n${body}`)
  return status
}

/** The first line of a request with any method (RFC 9112 §3). */
const REQUEST_LINE = /^[\w!#$%&'*+.^`|~-]+ \S+ HTTP\/1\.[01]\r\n/

const CODES: { [code: string]: ProblemCode } = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body_too_large',
}
