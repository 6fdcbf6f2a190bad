/** How connections to a connector are made, and what their errors mean. */
import { buildConnector } from 'undici'
import type { Cause } from './outcome.ts'

/** Texts or bytes in PEM. */
export type Tls = Readonly<{
  /** The CAs that sign the certificate of the API. Default: those that Node.js knows. */
  ca?: string | Uint8Array | readonly (string | Uint8Array)[]
  /** The certificate that this client shows, with those between it and its CA, and its private key. */
  cert?: string | Uint8Array
  key?: string | Uint8Array
  passphrase?: string
  /** The name that the certificate of the API must have. Default: that of the URL. */
  servername?: string
}>

/** A value, or a function that gives it anew for each connection or request. */
export type Source<T> = T | (() => T | Promise<T>)

/** The present value of a source. */
export async function valueFrom<T>(source: Source<T>): Promise<T> {
  return typeof source === 'function' ? (source as () => T | Promise<T>)() : source
}

/** How long a connection may take to be made. */
const CONNECT_TIMEOUT_MS = 5_000

/** Errors of connections that could not be made: no request was sent on them. */
const unsent = new WeakSet<Error>()

/** Makes connections for undici, with certificates that may change while the client runs. */
export function connectorOf(tls: Source<Tls> | undefined): buildConnector.connector {
  let last: Readonly<{ tls: Tls; connect: buildConnector.connector }> | undefined
  return (options, callback) => {
    valueFrom(tls ?? {}).then(
      (now) => {
        // A connector of undici keeps the sessions of TLS, so it is kept as long as the certificates are.
        last =
          last?.tls === now
            ? last
            : { tls: now, connect: buildConnector({ timeout: CONNECT_TIMEOUT_MS, ...(now as object) }) }
        last.connect(options, (...[error, socket]) => {
          if (error === null) callback(null, socket)
          else callback(marked(error), null)
        })
      },
      (error: unknown) => callback(marked(error instanceof Error ? error : new Error(String(error))), null),
    )
  }
}

function marked(error: Error): Error {
  unsent.add(error)
  return error
}

/** Why a request has no answer. */
export function causeOf(error: Error): Cause {
  const { code, message } = innermost(error)
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED')
    return { kind: 'unanswered', failure: 'other', message: 'the client was closed' }
  if (unsent.has(error)) {
    const known = CONNECT_FAILURES[code ?? '']
    if (known !== undefined) return { kind: 'unsent', ...known }
    return { kind: 'unsent', failure: isOfSystem(error) ? 'other' : 'tls', message }
  }
  const failure = error.name === 'HTTPParserError' ? 'answer_not_http' : 'other'
  return { kind: 'unanswered', ...(ANSWER_FAILURES[code ?? ''] ?? { failure, message }) }
}

const REFUSED = { failure: 'connection_refused', message: 'connection refused' } as const
const SLOW = { failure: 'connect_timeout', message: 'no answer to the connection attempt' } as const
const NO_HOST = { failure: 'no_such_host', message: 'no such host' } as const
const BROKEN = {
  failure: 'connection_broken',
  message: 'the connection broke before the answer',
} as const
const TIMEOUT = { failure: 'answer_timeout', message: 'no answer in time' } as const

const CONNECT_FAILURES: { readonly [code: string]: typeof REFUSED | typeof NO_HOST | typeof SLOW } = {
  ECONNREFUSED: REFUSED,
  ENOTFOUND: NO_HOST,
  EAI_AGAIN: NO_HOST,
  UND_ERR_CONNECT_TIMEOUT: SLOW,
}

const ANSWER_FAILURES: { readonly [code: string]: typeof BROKEN | typeof TIMEOUT } = {
  UND_ERR_HEADERS_TIMEOUT: TIMEOUT,
  UND_ERR_BODY_TIMEOUT: TIMEOUT,
  UND_ERR_SOCKET: BROKEN,
  ECONNRESET: BROKEN,
  EPIPE: BROKEN,
}

function isOfSystem(error: Error): boolean {
  return 'syscall' in innermost(error)
}

/** A host name with several addresses gives one error for each address. The first error says enough. */
function innermost(error: Error): NodeJS.ErrnoException {
  return error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error
}
