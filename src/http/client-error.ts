import type { Socket } from 'node:net'
import { PROBLEMS, type ProblemCode } from './errors.ts'
import { PROBLEM_MEDIA_TYPE, problemOf } from './problem.ts'
import { REQUEST_ID_HEADER } from './request-id.ts'

/** Answers bytes that Node's HTTP parser could not make a request of, and closes the connection. */
export function answerClientError(error: Error & { code?: string }, socket: Socket, requestId: string): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const code = CODES[error.code ?? ''] ?? 'invalid_http'
  const body = JSON.stringify(problemOf(code, requestId))
  const { status, title } = PROBLEMS[code]
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    `content-type: ${PROBLEM_MEDIA_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `${REQUEST_ID_HEADER}: ${requestId}`,
    'connection: close',
  ].join('\r\n')
  socket.end(`${head}\r\n\r\n${body}`)
}

const CODES: { [code: string]: ProblemCode } = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body_too_large',
}
