/**
 * Answers on bare sockets, for what Node.js does not pass to Fastify as a request. Each answer closes its
 * connection.
 */
import type { Socket } from 'node:net'
import { PROBLEMS, type ProblemCode } from '../api/problem-codes.ts'
import { PROBLEM_MEDIA_TYPE, type ProblemExtras, problemOf } from './problem.ts'
import { REQUEST_ID_HEADER } from './request-id.ts'

/**
 * An error of the HTTP parser of Node.js. `rawPacket`: the bytes that it was reading, which may begin with
 * requests before the wrong one; `bytesParsed`: how many of them it could read.
 */
export type ParserError = Error & { code?: string; rawPacket?: Buffer; bytesParsed?: number }

/**
 * The error with bytes of its own: those that it has may lie in a buffer that is used again
 * (admission/shared-buffer.ts), and the answer may have to wait.
 */
export function keptError(error: ParserError): ParserError {
  if (error.rawPacket !== undefined) error.rawPacket = Buffer.from(error.rawPacket)
  return error
}

/**
 * Answers bytes that the HTTP parser of Node.js could not read as a request.
 *
 * @returns the status of the answer; `undefined` when the client is gone
 */
export function answerClientError(error: ParserError, socket: Socket, requestId: string): number | undefined {
  // After a TLS handshake that failed, nothing can be sent.
  if (error.code === 'ECONNRESET' || /^ERR_(SSL|TLS)_/.test(error.code ?? '') || !socket.writable) {
    socket.destroy()
    return undefined
  }
  const isUnknownMethod = error.code === 'HPE_INVALID_METHOD' && REQUEST_LINE.test(wrongLine(error))
  const code = isUnknownMethod ? 'method_not_implemented' : (CODES[error.code ?? ''] ?? 'invalid_http')
  return endWithProblem(socket, code, requestId)
}

/**
 * Answers CONNECT, which asks for a tunnel. Node.js gives such a request as a bare socket (the event
 * `connect`). Without a listener for that event it would close the connection without an answer.
 *
 * @returns the status of the answer
 */
export function answerConnect(socket: Socket, requestId: string): number {
  // The client may be gone before the answer.
  socket.on('error', () => socket.destroy())
  return endWithProblem(socket, 'method_not_implemented', requestId, {
    detail: 'This server is not a proxy.',
  })
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
    'x-content-type-options: nosniff',
    'connection: close',
  ].join('\r\n')
  socket.end(`${head}\r\n\r\n${body}`)
  return status
}

/** The line in which the parser stopped, and what is after it. */
function wrongLine({ rawPacket, bytesParsed = 0 }: ParserError): string {
  const text = rawPacket?.toString('latin1') ?? ''
  return text.slice(text.lastIndexOf('\n', bytesParsed - 1) + 1)
}

/** The first line of a request with any method (RFC 9112 §3). */
const REQUEST_LINE = /^[\w!#$%&'*+.^`|~-]+ \S+ HTTP\/1\.[01]\r\n/

const CODES: { [code: string]: ProblemCode } = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body_too_large',
}
